import dataclasses
from typing import Any

import pytest

from twisted_chainws.websocket.codes import WebSocketError
from twisted_chainws.websocket.server_options import WebSocketServerConfig, unknown_error
from twisted_chainws.websocket.values import ServerCert


def _code(**values: Any) -> int:
    """Return the code with which a configuration is refused; 0 if it is not."""
    config = WebSocketServerConfig(**({"server_port": 0} | values))
    try:
        config.check_types()
        config.check_place()
    except WebSocketError as error:
        return int(error.code)
    return 0


def test_the_documented_defaults() -> None:
    """Address, limits and the rest are as documented; only the port must be given."""
    config = WebSocketServerConfig(8080)
    assert (config.server_ip, config.server_cert, config.protocol) == ("0.0.0.0", None, "")  # noqa: S104
    assert config.max_concurrent_clients_number == config.max_connections_for_one_client == 10
    assert (config.ping_interval, config.deadline_s) == (30, 30)
    assert (config.open_timeout, config.close_timeout) == (10, 10)
    assert (config.max_message_size, config.max_send_size) == (16_777_216, 5_242_880)
    assert (config.compression, config.strict, config.strict_limits) == ("deflate", True, False)
    assert (config.max_handshakes_per_minute, config.ban_seconds) == (None, 60)
    config.check_types()
    config.check_place()


@pytest.mark.parametrize(
    "values",
    [
        {"server_port": "80"},
        {"server_port": True},
        {"server_port": 80.0},
        {"server_ip": 5},
        {"server_ip": None},
        {"server_cert": "cert.pem"},
        {"server_cert": ServerCert("a", None)},  # type: ignore[arg-type]
        {"client_ca_path": 5, "server_cert": ServerCert("a", "b")},
        {"client_ca_path": "ca.pem"},
        {"protocol": None},
        {"protocol": "a b"},
        {"protocol": "a,a"},
        {"max_concurrent_clients_number": 0},
        {"max_concurrent_clients_number": "10"},
        {"max_connections_for_one_client": 0},
        {"max_connections_for_one_client": True},
        {"max_pending_handshakes": 0},
        {"max_message_size": -1},
        {"max_send_size": -1},
        {"max_unsent_size": None},
        {"max_handshakes_per_minute": 0},
        {"ping_interval": -1},
        {"ping_interval": 30_001},
        {"ping_interval": True},
        {"pong_timeout": 31},
        {"pong_timeout": -1},
        {"open_timeout": 0},
        {"close_timeout": float("inf")},
        {"ban_seconds": "60"},
        {"compression": "gzip"},
        {"allowed_origins": "http://a"},
        {"allowed_origins": (1,)},
        {"accept": 1},
        {"permission_check": 1},
        {"strict": 1},
        {"strict_limits": None},
    ],
)
def test_wrong_values_are_401(values: dict[str, Any]) -> None:
    """Wrong types and ranges are parameter errors. 4.6 item 12."""
    assert _code(**values) == 401


@pytest.mark.parametrize("ip", ["localhost", "", "1.2.3", "256.0.0.1", "[::1]", "eth0"])
def test_what_is_no_address_is_2302004(ip: str) -> None:
    """Only literal addresses name an interface; this comes before the port."""
    assert _code(server_ip=ip, server_port=70_000) == 2302004


def test_addresses_of_both_kinds_are_taken() -> None:
    """IPv4 and IPv6, also with a zone."""
    assert {_code(server_ip=ip) for ip in ("127.0.0.1", "::", "::1", "fe80::1%lo")} == {0}


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_ports_out_of_range_are_2302005(port: int) -> None:
    """This comes before the limits."""
    assert _code(server_port=port, max_concurrent_clients_number=11, strict_limits=True) == 2302005


def test_the_references_cap_on_request() -> None:
    """With ``strict_limits`` more than 10 is 2302999, otherwise there is no cap."""
    for name in ("max_concurrent_clients_number", "max_connections_for_one_client"):
        assert _code(**{name: 11}) == 0
        assert _code(**{name: 10}, strict_limits=True) == 0
        assert _code(**{name: 11}, strict_limits=True) == 2302999


def test_json_in_either_spelling() -> None:
    """The reference's names and Python's make the same; unknown and doubled ones are 401."""
    reference = {
        "serverIP": "127.0.0.1",
        "serverPort": 0,
        "serverCert": {"certPath": "c", "keyPath": "k"},
        "protocol": "a, b",
        "maxConcurrentClientsNumber": 3,
        "maxConnectionsForOneClient": 4,
        "allowedOrigins": ["http://a"],
    }
    ours = {
        "server_ip": "127.0.0.1",
        "server_port": 0,
        "server_cert": {"cert_path": "c", "key_path": "k"},
        "protocol": "a, b",
        "max_concurrent_clients_number": 3,
        "max_connections_for_one_client": 4,
        "allowed_origins": ["http://a"],
    }
    config = WebSocketServerConfig.from_dict(reference)
    assert config == WebSocketServerConfig.from_dict(ours)
    assert config.server_cert == ServerCert("c", "k")
    assert config.subprotocols == ("a", "b")
    wrong: tuple[Any, ...] = (
        reference | {"server_port": 1},
        {"serverPort": 1, "ip": 2},
        {},
        [],
        {"serverPort": "1"},
    )
    for bad in wrong:
        with pytest.raises(WebSocketError) as caught:
            WebSocketServerConfig.from_dict(bad)
        assert caught.value.code == 401


def test_the_deadline_for_pongs() -> None:
    """Not given, it is 30 seconds or the interval if that is less; given, it is what was given."""
    config = WebSocketServerConfig(0)
    assert config.deadline_s == 30
    assert dataclasses.replace(config, ping_interval=5).deadline_s == 5
    assert dataclasses.replace(config, pong_timeout=0).deadline_s == 0


def test_the_servers_words_for_2302999() -> None:
    """A server's start says it in other words than everything else."""
    error = unknown_error("why")
    assert (error.code, error.message) == (2302999, "Websocket other unknown error.")
    assert str(error) == "2302999 Websocket other unknown error. (why)"
