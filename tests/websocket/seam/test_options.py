from typing import Any

from autobahn.twisted.websocket import WebSocketServerProtocol

from twisted_chainws.websocket.seam.options import Silence


def test_silence_has_every_method_of_the_logger_it_stands_for() -> None:
    """Whatever Autobahn logs, with whatever arguments, leads to nothing."""
    logger: Any = WebSocketServerProtocol.log
    silence: Any = Silence()
    for name in ("trace", "debug", "info", "warn", "error", "critical", "failure"):
        assert callable(getattr(logger, name))
        getattr(silence, name)("{request}", request="secret")
