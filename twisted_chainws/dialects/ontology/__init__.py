"""The Ontology dialect: its node's encodings, ledger and words. Sans-I/O."""
