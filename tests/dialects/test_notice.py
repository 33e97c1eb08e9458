from twisted_chainws.dialects.notice import JoinedNotice, Notice


def test_a_notice_knows_its_size_without_the_id() -> None:
    """Both halves count."""
    assert Notice(b"ab", b"c").size == 3


def test_parts_are_joined_when_they_are_asked_for() -> None:
    """The parts are kept as they are, so that many notices can share them."""
    notice = JoinedNotice([b"ab", b"", b"cd"])
    assert (notice.head, notice.tail, notice.size) == (b"abcd", b"", 4)
    assert notice.frame is None
