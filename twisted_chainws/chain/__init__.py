"""The chain model: what happened, in one order, for every dialect. Sans-I/O."""
