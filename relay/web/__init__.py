"""The HTTP servers that host the handlers given to them. They do not know who gave them."""
