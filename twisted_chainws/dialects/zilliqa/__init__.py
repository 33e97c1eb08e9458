"""The Zilliqa dialect: queries and block notifications as its node speaks them. Sans-I/O."""
