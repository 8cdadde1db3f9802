"""amoCRM's REST API v4: one client for the whole relay, and what is asked of it.

Never here: the chats API, which is signed and has no tokens.
"""
