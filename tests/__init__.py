"""The tests of the relay; the tree mirrors the package."""
