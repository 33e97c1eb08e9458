"""The only place that touches Autobahn: guarded connections with plain hooks, one module a role."""

from twisted_chainws.websocket.seam.factory import ServerFactory
from twisted_chainws.websocket.seam.server import ConnectionOptions, ServerConnection

__all__ = ["ConnectionOptions", "ServerConnection", "ServerFactory"]
