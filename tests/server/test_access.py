import pytest

from twisted_chainws.server.access import (
    host_allowed,
    is_loopback,
    key_allowed,
    origin_allowed,
    redact,
)


@pytest.mark.parametrize(
    ("header", "allowed", "verdict"),
    [
        (None, (), True),
        ("localhost", (), True),
        ("LOCALHOST:8545", (), True),
        ("localhost.:8545", (), True),
        ("dapp.localhost:1", (), True),
        ("127.0.0.1:8545", (), True),
        ("[::1]:8545", (), True),
        ("[::1]", (), True),
        ("192.168.1.7:8545", (), True),
        ("evil.example", (), False),
        ("localhost.evil.example", (), False),
        ("notlocalhost", (), False),
        ("127.0.0.1.evil.example", (), False),
        ("evil.example@localhost", (), False),
        ("localhost/evil", (), False),
        ("localhost:port", (), False),
        ("", (), False),
        ("node.example:8545", ("node.example",), True),
        ("NODE.example", ("Node.Example",), True),
        ("other.example", ("node.example",), False),
        ("other.example", ("*",), True),
    ],
)
def test_host(header: str | None, allowed: tuple[str, ...], verdict: bool) -> None:
    """Loopback names, IP literals and allowed names pass; what DNS rebinding would send does not."""
    assert host_allowed(header, allowed) is verdict


@pytest.mark.parametrize(
    ("origin", "rules", "verdict"),
    [
        (None, (), True),
        ("http://localhost", (), True),
        ("https://localhost:3000", (), True),
        ("http://app.localhost:5173", (), True),
        ("http://127.0.0.1:8000", (), True),
        ("http://[::1]:8000", (), True),
        ("capacitor://localhost", (), True),
        ("HTTP://LOCALHOST", (), True),
        ("null", (), False),
        ("", (), False),
        ("http://evil.example", (), False),
        ("http://localhost.evil.example", (), False),
        ("http://evil.example#localhost", (), False),
        ("http://localhost@evil.example", (), False),
        ("http://192.168.1.7", (), False),
        ("file://", (), False),
        ("http://[::1", (), False),
        ("null", ("*",), True),
        ("http://evil.example", ("*",), True),
        ("https://app.example", ("https://app.example",), True),
        ("https://app.example", ("https://app.example/",), True),
        ("https://app.example:443", ("https://app.example",), True),
        ("https://app.example:444", ("https://app.example",), False),
        ("http://app.example", ("https://app.example",), False),
        ("http://app.example:99", ("app.example",), True),
        ("http://app.example:99", ("app.example:99",), True),
        ("http://app.example:98", ("app.example:99",), False),
        ("http://sub.app.example", ("app.example",), False),
        ("http://app.example", ("not a rule/",), False),
    ],
)
def test_origin(origin: str | None, rules: tuple[str, ...], verdict: bool) -> None:
    """Loopback and listed origins pass, everything else a browser may send does not."""
    assert origin_allowed(origin, rules) is verdict


def test_loopback_is_about_names_only() -> None:
    """Other addresses of 127/8 are not what a browser shows as this machine."""
    assert not is_loopback("127.0.0.2")


def test_keys_are_compared_whole() -> None:
    """A key is one of the known ones or it is not; odd characters are no error."""
    keys = ("demo", "schlüssel")
    assert key_allowed("demo", keys)
    assert key_allowed("schlüssel", keys)
    assert not key_allowed("dem", keys)
    assert not key_allowed("\udcff", keys)
    assert not key_allowed("demo", ())


def test_keys_are_shortened_for_logs() -> None:
    """Of a key a log shows four characters."""
    assert redact("abcdefgh") == "abcd…"
    assert redact(None) == "-"
