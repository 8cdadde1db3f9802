"""The demonstration: a pretended phone and a pretended amoCRM around the real relay."""
