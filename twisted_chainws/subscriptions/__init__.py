"""Who wants to hear what: filters, an indexed matcher and the registry. Sans-I/O."""
