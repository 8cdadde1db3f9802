"""The widget inside amoCRM: its archive, and the calls it makes to the relay."""
