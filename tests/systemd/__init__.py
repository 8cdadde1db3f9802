"""Laws of the units."""
