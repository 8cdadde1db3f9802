"""The file: its typed model, its reader with the error messages, its watcher.

Never here: objects that run.
"""
