from twisted_chainws.subscriptions.interests import Interest


def test_nobody_is_interested_in_anything_at_first() -> None:
    """An interest begins without topics and without having named keys."""
    assert Interest() == Interest(topics=frozenset(), keys=None, cursor=False)
