"""Tests of the file: its model, its reader, its watcher."""
