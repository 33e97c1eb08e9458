import pytest

from twisted_chainws.websocket.exclusion import excluded, in_networks


@pytest.mark.parametrize(
    ("host", "entries", "expected"),
    [
        ("www.ample.com", ["ample.com"], True),
        ("ample.com", ["ample.com"], True),
        ("ample.com", ["ample.com:80"], True),
        ("ample.com", ["ample.com:81"], False),
        ("www.example.com", ["ample.com"], False),
        ("ample.com.org", ["ample.com"], False),
        ("com", ["ample.com"], False),
        ("WWW.Ample.COM", ["aMPLE.com"], True),
        ("ample.com.", ["ample.com"], True),
        ("www.ample.com", [".ample.com"], True),
        ("www.ample.com", ["*.ample.com"], True),
        ("a.b.ample.com", ["*.ample.com"], True),
        ("ample.com", ["*.ample.com"], False),
        ("wwwample.com", ["*.ample.com"], False),
        ("www.ample.com", ["*.ample.com:80"], True),
        ("www.ample.com", ["*.ample.com:443"], False),
        ("www.ample.com", ["http://ample.com"], True),
        ("www.ample.com", ["wss://ample.com:80/"], True),
        ("anything.example", ["*"], True),
        ("192.0.2.1", [" * ", ""], True),
        ("anything.example", ["*", "other.example"], False),
        ("other.example", ["*", "other.example"], True),
        ("anything.example", [], False),
        ("anything.example", ["", ".", "  "], False),
        ("any*.example", ["any*.example"], True),
        ("anything.example", ["any*.example"], False),
        ("192.0.2.1", ["192.0.2.1"], True),
        ("192.0.2.1", ["192.0.2.1:80"], True),
        ("192.0.2.1", ["192.0.2.1:8080"], False),
        ("192.0.2.1", ["2.1"], False),
        ("192.0.2.1", ["0.2.1"], False),
        ("192.0.2.1", ["192.0.2.0/24"], False),
        ("192.0.2.10", ["192.0.2.1"], False),
        ("::1", ["::1"], True),
        ("::1", ["[::1]"], True),
        ("::1", ["[::1]:80"], True),
        ("::1", ["[::1]:81"], False),
        ("::1", ["0:0:0:0:0:0:0:1"], True),
        ("::1", ["::"], False),
        ("xn--bcher-kva.example", ["bücher.example"], True),
        ("www.xn--bcher-kva.example", ["*.bücher.example"], True),
        ("bücher.example", ["xn--bcher-kva.example"], True),
        ("xn--bcher-kva.example", ["bü..cher"], False),
    ],
)
def test_the_documented_rules(host: str, entries: list[str], expected: bool) -> None:
    """Exact names, suffixes from a dot on, exact addresses, a lone star; ports must be equal."""
    assert excluded(host, 80, entries) is expected


@pytest.mark.parametrize(
    ("host", "entries", "expected"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("11.1.2.3", ["10.0.0.0/8"], False),
        ("10.1.2.3", ["10.9.9.9/8"], True),
        ("10.1.2.3", ["localhost", " 10.0.0.0/8 "], True),
        ("fd00::7", ["fd00::/8"], True),
        ("fd00::7", ["10.0.0.0/8"], False),
        ("::1", ["::1"], True),
        ("::1", ["[::1]"], True),
        ("::1", ["[::1]:80"], True),
        ("::1", ["[::1]:443"], False),
        ("10.1.2.3", ["10.1.2.3:80"], True),
        ("10.1.2.3", ["10.1.2.3:81"], False),
        ("10.1.2.3", ["", "a.example", "10.1.2.3/99", "300.1.2.3"], False),
        ("ten.example", ["0.0.0.0/0", "::/0"], False),
    ],
)
def test_networks_hold_addresses(host: str, entries: list[str], expected: bool) -> None:
    """An address is in a network of its family; names are in none, for nobody looks them up."""
    assert in_networks(host, 80, entries) is expected
