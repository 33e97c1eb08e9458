"""The only place that touches Autobahn: guarded connections with plain hooks, one module a role."""

from twisted_chainws.websocket.seam.factory import ServerFactory
from twisted_chainws.websocket.seam.options import ConnectionOptions
from twisted_chainws.websocket.seam.server import ServerConnection

__all__ = ["ConnectionOptions", "ServerConnection", "ServerFactory"]
