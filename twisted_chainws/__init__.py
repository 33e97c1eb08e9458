"""A chain event server that never loses an event, in whatever language the client speaks."""

__version__ = "0.1.0"
