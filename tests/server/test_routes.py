from typing import Any

import orjson
import pytest

from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.server.routes import Routes, refusal
from twisted_chainws.websocket.handshake import Refuse

ETHEREUM = DIALECTS[0]


def _routes(
    *, keys: tuple[str, ...] = (), names: tuple[str, ...] = ("eth",), **more: Any
) -> Routes:
    services: Any = {name: f"service of {name}" for name in names}
    options: dict[str, Any] = {"dialect": ETHEREUM, "catalog": DIALECTS, "limits": None} | more
    return Routes(services=services, keys=keys, **options)


def _status(routes: Routes, path: str, authorization: str | None = None) -> int:
    with pytest.raises(Refuse) as caught:
        routes.find(path, authorization)
    return caught.value.status


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/", None),
        ("", None),
        ("/ethereum", None),
        ("/ethereum/", None),
        ("/v2/demo", "demo"),
        ("/v2/", None),
        ("/v2", None),
        ("/ws/a%20b", "a b"),
        ("/vipapi/websocket/node/ETH/abc", "abc"),
        ("/vipapi/websocket/node/kcc", None),
    ],
)
@pytest.mark.parametrize("dialect", [ETHEREUM, None])
def test_paths(path: str, key: str | None, dialect: Any) -> None:
    """Every documented path leads to Ethereum, with or without a key."""
    route = _routes(dialect=dialect).find(path, None)
    assert route.dialects[0] is ETHEREUM
    assert route.key == key
    assert str(route.service) == "service of eth"


@pytest.mark.parametrize(
    "path",
    ["/x", "/v2/a/b", "/vipapi/websocket/node", "/vipapi/websocket/node/doge/k", "//", "/v3/k"],
)
def test_unknown_paths_and_networks(path: str) -> None:
    """Anything else is 404."""
    assert _status(_routes(), path) == 404


def test_networks_pick_services() -> None:
    """With several services the network of the path picks one; kcc and kcs are the same."""
    routes = _routes(names=("eth", "KCS"))
    path = "/vipapi/websocket/node/{}/k"
    assert str(routes.find(path.format("Eth"), None).service) == "service of eth"
    assert str(routes.find(path.format("kcc"), None).service) == "service of KCS"
    assert _status(routes, path.format("bsc")) == 404
    assert [str(service) for service in routes.services()] == ["service of eth", "service of KCS"]


def test_keys_are_demanded_everywhere_once_configured() -> None:
    """Without a key or with a wrong one the answer is 401 in Alchemy's words."""
    routes = _routes(keys=("good",))
    assert routes.find("/v2/good", None).key == "good"
    assert routes.find("/", "Bearer good").key == "good"
    assert routes.find("/v2/good", "Bearer bad").key == "good"
    assert _status(routes, "/v2/bad") == 401
    for path, header in (("/", None), ("/v2/", None), ("/", "Basic Z29vZA=="), ("/", "Bearer ")):
        with pytest.raises(Refuse) as caught:
            routes.find(path, header)
        body = orjson.loads(caught.value.body)
        assert body["error"] == {"code": -32600, "message": "Must be authenticated!"}


def test_refusal_is_a_json_rpc_error() -> None:
    """Bodies of refusals are JSON-RPC errors with a null id."""
    assert orjson.loads(refusal(429, "slow", code=429).body) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": 429, "message": "slow"},
    }
