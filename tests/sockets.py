"""The plainest client: a blocking TCP socket on loopback, for threads of tests."""

import socket


def connect(port: int) -> socket.socket:
    """Return a connection to a loopback port."""
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def echo(peer: socket.socket, data: bytes) -> bytes:
    """Send data and return what comes back, at most as much."""
    peer.sendall(data)
    return peer.recv(len(data))
