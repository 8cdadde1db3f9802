"""The command line: what an administrator types, and what he is told.

It stands above everything: the daemon, the demonstration, and the rooms below. Never here:
anything that the running relay needs.
"""
