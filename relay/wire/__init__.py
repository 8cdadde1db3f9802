"""HTTP where it must cost little: connections that are kept, and what is asked over them."""
