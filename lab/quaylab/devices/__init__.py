"""Servers: what stands on the cranes, in the yard and in the office."""
