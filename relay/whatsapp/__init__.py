"""WhatsApp: the engines, one session's life, translation both ways.

Never here: anything about the CRM.
"""
