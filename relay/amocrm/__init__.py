"""amoCRM: signing, verifying and deciphering without I/O; a thin client; hooks.

Never here: anything about WhatsApp's engines.
"""
