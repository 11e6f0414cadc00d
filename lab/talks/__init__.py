"""Talks of protocol stacks over the loopback of an empty network namespace, each captured with what was said."""
