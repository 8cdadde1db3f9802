"""A self-hosted relay between WhatsApp and amoCRM."""

__version__ = "0.1.0"
