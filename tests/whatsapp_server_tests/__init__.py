"""The tests of the WhatsApp-protocol server itself."""
