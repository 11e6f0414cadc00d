"""Clients: what people, programs and intruders do. Each module is run inside a host's namespace."""
