"""Where blocks come from. Sources call a Sink with model values and never import the service."""
