"""WebSocket connections; knows nothing of chains. The seam is the only user of Autobahn."""
