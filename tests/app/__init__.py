"""The whole relay: in a process of its own between a played WhatsApp and a pretended amoCRM."""
