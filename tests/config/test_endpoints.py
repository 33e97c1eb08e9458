import pytest

from twisted_chainws.config.endpoints import default_listeners, default_places, read_listener
from twisted_chainws.config.model import Listener
from twisted_chainws.config.table import ConfigurationError
from twisted_chainws.dialects.catalog import DIALECTS


@pytest.mark.parametrize(
    ("text", "dialect", "endpoint", "outside"),
    [
        ("ethereum=tcp:8545", "ethereum", "tcp:8545:interface=127.0.0.1", False),
        ("any=tcp:0", None, "tcp:0:interface=127.0.0.1", False),
        (
            "ethereum=tcp:1:interface=0.0.0.0",
            "ethereum",
            "tcp:1:interface=0.0.0.0",
            True,
        ),
        ("any=tcp:1:interface=localhost", None, "tcp:1:interface=localhost", False),
        ("any=tcp:1:interface=example.org", None, "tcp:1:interface=example.org", True),
        ("any=tcp:1:interface=", None, "tcp:1:interface=", True),
        ("any=tcp6:1", None, r"tcp6:1:interface=\:\:1", False),
        (r"any=tcp6:1:interface=\:\:", None, r"tcp6:1:interface=\:\:", True),
        (
            r"any=ssl:443:privateKey=a\:interface=b.pem",
            None,
            r"ssl:443:privateKey=a\:interface=b.pem:interface=127.0.0.1",
            False,
        ),
        ("any=tls:/etc/pem:443", None, "tls:/etc/pem:443:interface=127.0.0.1", False),
        ("any=unix:/run/x", None, "unix:/run/x", False),
        ("any=systemd:domain=INET:index=0", None, "systemd:domain=INET:index=0", False),
        ("any=onion:80", None, "onion:80", True),
    ],
)
def test_a_listener_is_local_unless_it_says_otherwise(
    text: str, dialect: str | None, endpoint: str, outside: bool
) -> None:
    """Network endpoints without an interface get loopback; one that is named stays as it is."""
    listener = read_listener(text, DIALECTS, "--listen")
    assert listener == Listener(dialect=dialect, endpoint=endpoint, outside=outside)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8545", "--listen: expected DIALECT=ENDPOINT such as ethereum=tcp:8545, got '8545'"),
        (
            "tcp:8545",
            "--listen: expected DIALECT=ENDPOINT such as ethereum=tcp:8545, got 'tcp:8545'",
        ),
        (
            "tcp:=1",
            "--listen: expected DIALECT=ENDPOINT such as ethereum=tcp:8545, got 'tcp:=1'",
        ),
        (
            "ethereum=8545",
            "--listen: expected DIALECT=ENDPOINT such as ethereum=tcp:8545, got 'ethereum=8545'",
        ),
        ("solana=tcp:1", "--listen: expected one of the dialects ethereum, any, got 'solana'"),
    ],
)
def test_what_is_no_listener_is_told_in_one_line(text: str, message: str) -> None:
    """The error says what a listener looks like, or which dialects there are."""
    with pytest.raises(ConfigurationError) as caught:
        read_listener(text, DIALECTS[:1], "--listen")
    assert str(caught.value) == message


def test_each_dialect_has_its_port_and_there_is_a_combined_one() -> None:
    """Without a word every dialect listens on its own port, and 8080 speaks all of them."""
    listeners = default_listeners(DIALECTS)
    assert [each.endpoint for each in listeners[:-1]] == [
        f"tcp:{dialect.default_port}:interface=127.0.0.1" for dialect in DIALECTS
    ]
    assert listeners[-1] == Listener(
        dialect=None, endpoint="tcp:8080:interface=127.0.0.1", outside=False
    )


def test_people_are_told_what_is_spoken_where() -> None:
    """Each dialect has its title and port, and the combined listener comes last."""
    text = default_places(DIALECTS)
    assert text.startswith("Ethereum JSON-RPC on 127.0.0.1:8545, Zilliqa WebSocket on 127.0.0.1:44")
    assert text.endswith(", and all of them on 127.0.0.1:8080")
    assert text.count("127.0.0.1") == len(DIALECTS) + 1
