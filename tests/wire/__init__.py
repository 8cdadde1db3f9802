"""The wire's room: answers byte by byte, and real servers on the loopback."""
