"""Listeners and the glue between sockets and sessions."""
