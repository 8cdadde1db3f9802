"""What would happen to a message, and which lines of the file it is due to (``relay explain``).

The rules that are run here are those of the domain; only the words about them are ours. Never
here: anything a running relay needs.
"""
