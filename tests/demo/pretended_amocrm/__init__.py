"""Tests of the pretended amoCRM: it must refuse what amoCRM refuses."""
