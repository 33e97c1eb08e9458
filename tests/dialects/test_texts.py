from twisted_chainws.dialects.texts import BoundedTexts


def test_what_was_put_is_kept() -> None:
    """A text is handed back as it was put in, and nothing else is."""
    texts = BoundedTexts(max_bytes=10)
    assert texts.get("a") is None
    assert texts.put("a", b"1234") == b"1234"
    assert texts.get("a") == b"1234"


def test_least_recently_used_goes_first() -> None:
    """Over the bound, the text that was not used for longest is dropped."""
    texts = BoundedTexts(max_bytes=5)
    texts.put("a", b"12")
    texts.put("b", b"12")
    texts.get("a")
    texts.put("c", b"12")
    assert [texts.get(key) for key in "abc"] == [b"12", None, b"12"]


def test_a_text_over_the_bound_is_not_kept() -> None:
    """A text that is larger than the whole store is returned and forgotten with all others."""
    texts = BoundedTexts(max_bytes=1)
    texts.put("a", b"1")
    assert texts.put("b", b"12") == b"12"
    assert texts.get("a") is texts.get("b") is None
    assert texts.put("c", b"3") == texts.get("c") == b"3"
