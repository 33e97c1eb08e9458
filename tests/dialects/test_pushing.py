from twisted_chainws.dialects.pushing import Push


def test_a_push_is_written_when_it_is_wanted() -> None:
    """Making a push costs nothing of its text."""
    written: list[str] = []

    def encode() -> bytes:
        written.append("once")
        return b"{}"

    push = Push(topic="sendrawblock", keys=None, transaction_hash=None, encode=encode)
    assert not written
    assert push.encode() == b"{}"
