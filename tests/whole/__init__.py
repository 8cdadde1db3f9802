"""The whole way: the unmodified ``relay run``, the unmodified WhatsApp library in it, between our
WhatsApp-protocol server and the pretended amoCRM.
"""
