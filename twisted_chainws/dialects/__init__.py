"""One model, many languages: every dialect is a record of tables and pure codecs. Sans-I/O."""
