"""Several chains behind one port: paths pick them, and keys and bounds are those of the server."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.running import Running
from tests.wire import Refused, RpcError, Wire, post

pytestmark = pytest.mark.integration

NODE = "/vipapi/websocket/node"
CHAIN_ID = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
CONFIGURATION = """
silent = true
key = ["right", "other"]
inactive-key = ["idle-word"]
exhausted-key = ["spent-word"]

[limits]
connections-per-key = 2

[network.eth]
[network.bsc]
[network.kcc]
[network.own]
chain-id = 777
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give one server with four chains."""
    file: Path = tmp_path_factory.mktemp("networks") / "chainws.toml"
    file.write_text(CONFIGURATION)
    with Running("--config", str(file)) as running:
        yield running


def _asked(server: Running, path: str, **headers: str) -> Any:
    status, body = post(server.port, CHAIN_ID, headers, path)
    assert status == 200, body
    return orjson.loads(body)["result"]


@pytest.mark.parametrize(
    ("network", "chain_id"),
    [
        ("eth", 1),
        ("ETH", 1),
        ("bsc", 56),
        ("Bsc", 56),
        ("kcc", 321),
        ("kcs", 321),
        ("KCS", 321),
        ("own", 777),
    ],
)
def test_the_network_of_the_path_answers(server: Running, network: str, chain_id: int) -> None:
    """Each name in any letter case leads to its chain, over WebSocket and HTTP alike."""
    path = f"{NODE}/{network}/right"
    with Wire(server.port, path=path) as wire:
        assert wire.call("eth_chainId") == hex(chain_id)
        assert wire.call("net_version") == str(chain_id)
    assert _asked(server, path) == hex(chain_id)


@pytest.mark.parametrize("network", ["etc", "doge", "devchain", ""])
def test_a_network_that_is_not_there_is_404(server: Running, network: str) -> None:
    """A name without a chain is refused before the upgrade, known to Tokenview or not."""
    path = f"{NODE}/{network}/right"
    with pytest.raises(Refused) as caught:
        Wire(server.port, path=path)
    assert (caught.value.status, caught.value.body) == (404, b"not found")
    assert post(server.port, CHAIN_ID, path=path)[0] == 404


def test_without_a_network_the_first_one_answers(server: Running) -> None:
    """Paths of other vendors name none."""
    for path in ("/v2/right", "/ws/right"):
        assert _asked(server, path) == "0x1"


def test_networks_are_chains_of_their_own(server: Running) -> None:
    """What happens on one is neither seen nor announced on another."""
    with (
        Wire(server.port, path=f"{NODE}/eth/right") as eth,
        Wire(server.port, path=f"{NODE}/bsc/right") as bsc,
    ):
        heard, unheard = (wire.call("eth_subscribe", "newHeads") for wire in (bsc, eth))
        before = eth.call("eth_blockNumber")
        height = int(bsc.call("eth_blockNumber"), 16)
        bsc.call("evm_mine")
        assert bsc.notice(heard)["number"] == hex(height + 1)
        assert (eth.settle(), eth.call("eth_blockNumber")) == ([], before)
        assert eth.call("eth_unsubscribe", heard) is False
        assert eth.call("eth_unsubscribe", unheard) is True


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "credentials", ["Bearer right", _basic("user:right"), _basic("right:"), _basic(":right")]
)
def test_credentials_instead_of_a_key(server: Running, credentials: str) -> None:
    """What a client makes of ws://user:KEY@host/ is a key, on every path."""
    for path, chain_id in (("/", "0x1"), (f"{NODE}/bsc", "0x38")):
        with Wire(server.port, path=path, headers=[("Authorization", credentials)]) as wire:
            assert wire.call("eth_chainId") == chain_id
        assert _asked(server, path, Authorization=credentials) == chain_id


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [
        ("", 401, "Must be authenticated!"),
        ("wrong", 401, "Invalid access key"),
        ("idle-word", 403, "App is inactive."),
        ("spent-word", 403, "Monthly capacity limit exceeded."),
    ],
)
@pytest.mark.parametrize("form", ["/ws/{}", "/v2/{}", NODE + "/eth/{}"])
def test_refused_keys(server: Running, form: str, key: str, status: int, text: str) -> None:
    """Each form of path refuses with the same status and body, before the upgrade and over HTTP."""
    path = form.format(key)
    with pytest.raises(Refused) as caught:
        Wire(server.port, path=path)
    for answer in (
        (caught.value.status, caught.value.body),
        post(server.port, CHAIN_ID, path=path),
    ):
        assert answer[0] == status
        assert orjson.loads(answer[1]) == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {"code": -32600, "message": text},
        }
    log = server.log()
    assert not any(word in log for word in ("wrong", "right", "idle-word", "spent-word"))


def test_connections_of_a_key_are_counted_over_all_networks(server: Running) -> None:
    """A third connection is 429 whatever path it takes; another key has its own count."""
    with Wire(server.port, path="/v2/right"), Wire(server.port, path=f"{NODE}/bsc/right"):
        for path in ("/ws/right", f"{NODE}/kcc/right"):
            with pytest.raises(Refused) as caught:
                Wire(server.port, path=path)
            assert caught.value.status == 429
            assert orjson.loads(caught.value.body)["error"]["code"] == 429
        Wire(server.port, path="/v2/other").close()
        assert _asked(server, "/v2/right") == "0x1"


def test_throughput_and_profile_of_the_command_line() -> None:
    """Compute units run out on the wire with the vendor's words, status and header."""
    limits = {"compute-units-per-s": 1, "compute-burst-s": 60}
    options = [word for name, value in limits.items() for word in ("--limit", f"{name}={value}")]
    with (
        Running("--silent", "--profile", "alchemy", *options) as server,
        Wire(server.port, path="/v2/mine") as wire,
    ):
        assert wire.call("eth_getLogs", {"fromBlock": "0x0"}) == []
        with pytest.raises(RpcError) as caught:
            wire.call("eth_getLogs", {"fromBlock": "0x0"})
        assert caught.value.code == 429
        assert "compute units per second capacity" in caught.value.message
        assert wire.call("eth_chainId") == "0x7a69"
        logs = b'{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{}]}'
        assert post(server.port, logs, path="/v2/mine")[0] == 429
        assert post(server.port, logs, path="/v2/other")[0] == 200
        assert post(server.port, b"[" + logs + b"]", path="/v2/mine")[0] == 200
