"""Building the parts, starting, supervising, reloading, stopping. No business rule."""
