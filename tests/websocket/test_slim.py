from twisted_chainws.websocket.slim import QUIET, slimmed


def test_only_what_is_usual_is_dropped() -> None:
    """Leftovers go, usual values go to the class, everything else stays."""
    own = {"http_headers": {"a": "b"}, "closedByMe": False, "failedByMe": True, "mine": 1}
    assert slimmed(own) == {"failedByMe": True, "mine": 1}


def test_usual_values_are_the_ones_a_new_connection_has() -> None:
    """They are immutable: they are shared by all connections of a listener."""
    assert set(map(type, QUIET.values())) == {type(None), bool}
