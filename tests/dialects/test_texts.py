from twisted_chainws.dialects.texts import BoundedTexts


class Writer:
    """Makes texts, and counts how many it made."""

    def __init__(self, *texts: bytes) -> None:
        self._texts = list(texts)
        self.made = 0

    def __call__(self) -> bytes:
        self.made += 1
        return self._texts.pop(0)


def test_what_was_made_is_kept() -> None:
    """A text is made once, and handed back as it was made."""
    texts, write = BoundedTexts(max_bytes=10), Writer(b"1234", b"other")
    assert texts.get("a", write) == b"1234"
    assert texts.get("a", write) == b"1234"
    assert write.made == 1
    assert texts.get("b", write) == b"other"


def test_least_recently_used_goes_first() -> None:
    """Over the bound, the text that was not used for longest is dropped."""
    texts, write = BoundedTexts(max_bytes=5), Writer(b"1a", b"1b", b"1c", b"2b")
    for key in "abac":
        texts.get(key, write)
    assert [texts.get(key, write) for key in "acb"] == [b"1a", b"1c", b"2b"]


def test_a_text_over_the_bound_is_not_kept() -> None:
    """A text that is larger than the whole store is returned and forgotten with all others."""
    texts, write = BoundedTexts(max_bytes=1), Writer(b"1", b"12", b"34", b"5", b"6")
    assert texts.get("a", write) == b"1"
    assert texts.get("b", write) == b"12"
    assert texts.get("b", write) == b"34"
    assert texts.get("a", write) == b"5"
    assert texts.get("a", write) == b"5"
    assert write.made == 4
