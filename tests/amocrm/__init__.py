"""The amoCRM room: recorded bytes, and real servers on the loopback."""
