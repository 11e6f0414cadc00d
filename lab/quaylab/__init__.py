"""A small container terminal of real protocol stacks in network namespaces."""
