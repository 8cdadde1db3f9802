"""Laws of the HTTP servers, of health and of metrics."""
