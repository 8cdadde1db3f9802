"""The pretended WhatsApp: its world, and the simulated engine."""
