"""The store of media: files on disk under names nobody can guess, and the door they are given at.

What a message means, and who asks for its medium, does not belong here.
"""
