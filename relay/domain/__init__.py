"""Nouns and rules: frozen values and plain functions.

Never here: coroutines, clocks, randomness, vendors. "Now" comes in as an argument.
"""
