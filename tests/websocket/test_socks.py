import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_chainws.websocket.socks import Socks5
from twisted_chainws.websocket.tunnel import ProxyRefused

BOUND = b"\x01\x7f\x00\x00\x01\x04\x38"
REQUEST = b"\x05\x01\x00\x03\x0etarget.example\x01\xbb"


def _dialogue(credentials: tuple[str, str] | None = None, host: str = "target.example") -> Socks5:
    return Socks5(host, 443, credentials)


def test_without_credentials_none_are_offered() -> None:
    """The greeting offers no authentication, and the request follows the choice of it."""
    dialogue = _dialogue()
    assert dialogue.begin() == b"\x05\x01\x00"
    assert dialogue.receive(b"\x05\x00") == REQUEST
    assert dialogue.receive(b"\x05\x00\x00" + BOUND) == b""
    assert dialogue.surplus == b""


def test_credentials_are_told_when_asked_for() -> None:
    """Both methods are offered; user and password go with their lengths, in UTF-8."""
    dialogue = _dialogue(("me", "sésame"))
    assert dialogue.begin() == b"\x05\x02\x00\x02"
    assert dialogue.receive(b"\x05\x02") == b"\x01\x02me\x07s\xc3\xa9same"
    assert dialogue.receive(b"\x01\x00") == REQUEST


def test_credentials_are_not_told_unasked() -> None:
    """A proxy that wants none hears none."""
    dialogue = _dialogue(("me", "sesame"))
    dialogue.begin()
    assert dialogue.receive(b"\x05\x00") == REQUEST


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", b"\x01\xc0\x00\x02\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("xn--bcher-kva.example", b"\x03\x15xn--bcher-kva.example"),
        ("a" * 255, b"\x03\xff" + b"a" * 255),
    ],
)
def test_the_target_goes_as_what_it_is(host: str, address: bytes) -> None:
    """Names stay names, for the proxy to look up; addresses are packed."""
    dialogue = _dialogue(host=host)
    assert dialogue.receive(b"\x05\x00") == b"\x05\x01\x00" + address + b"\x01\xbb"


@given(
    bound=st.sampled_from(
        [BOUND, b"\x04" + bytes(18), b"\x03\x00\x00\x50", b"\x03\x03abc\x00\x50"]
    ),
    cuts=st.lists(st.integers(0, 60)),
    surplus=st.binary(max_size=20),
)
def test_pieces_make_no_difference(bound: bytes, cuts: list[int], surplus: bytes) -> None:
    """However the answers are cut, the same is said, and the same comes from beyond the tunnel."""
    whole = b"\x05\x02\x01\x00\x05\x00\x00" + bound + surplus
    dialogue, begin, said, late = _dialogue(("u", "p")), 0, b"", b""
    for end in [*sorted(cut for cut in cuts if cut < len(whole)), len(whole)]:
        if dialogue.surplus is None:
            said += dialogue.receive(whole[begin:end])
        else:
            late += whole[begin:end]
        begin = end
    assert said == b"\x01\x01u\x01p" + REQUEST
    assert dialogue.surplus is not None
    assert dialogue.surplus + late == surplus


@pytest.mark.parametrize(
    ("credentials", "answers", "words"),
    [
        (None, [b"HT"], "does not speak SOCKS 5"),
        (None, [b"\x04\x5a"], "does not speak SOCKS 5"),
        (None, [b"\x05\xff"], "another authentication"),
        (None, [b"\x05\x02"], "another authentication"),
        (("u", "p"), [b"\x05\x01"], "another authentication"),
        (("u", "p"), [b"\x05\x02", b"\x01\x01"], "does not accept the credentials"),
        (None, [b"\x05\x00", b"\x04\x00\x00\x01"], "does not speak SOCKS 5"),
        (None, [b"\x05\x00", b"\x05\x00\x00\x02"], "unknown kind of address"),
        (None, [b"\x05\x00", b"\x05\x01\x00\x01"], "general failure"),
        (None, [b"\x05\x00", b"\x05\x02\x00\x01"], "not allowed by ruleset"),
        (None, [b"\x05\x00", b"\x05\x03\x00\x01"], "network unreachable"),
        (None, [b"\x05\x00", b"\x05\x04\x00\x01"], "host unreachable"),
        (None, [b"\x05\x00", b"\x05\x05\x00\x01"], "connection refused"),
        (None, [b"\x05\x00", b"\x05\x06\x00\x01"], "TTL expired"),
        (None, [b"\x05\x00", b"\x05\x07\x00\x01"], "command not supported"),
        (None, [b"\x05\x00", b"\x05\x08\x00\x01"], "address type not supported"),
        (None, [b"\x05\x00", b"\x05\x99\x00\x01"], "code 153"),
    ],
)
def test_each_refusal_has_its_words(
    credentials: tuple[str, str] | None, answers: list[bytes], words: str
) -> None:
    """What the proxy says by number is told in words, and nothing of the credentials."""
    dialogue = _dialogue(credentials)
    dialogue.begin()
    *good, bad = answers
    for answer in good:
        dialogue.receive(answer)
    with pytest.raises(ProxyRefused, match=words) as caught:
        dialogue.receive(bad)
    assert caught.value.http_status is None
