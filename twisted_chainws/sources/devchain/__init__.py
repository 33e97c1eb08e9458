"""The embedded development chain: an EVM in a process of its own and the source that drives it."""
