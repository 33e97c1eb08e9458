"""What the operator decided: command line options and a TOML file, as one frozen value. No I/O."""
