import base64
from typing import Any

import orjson
import pytest

from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.server.accounts import Accounts
from twisted_chainws.server.routes import NETWORKS, Routes, refusal
from twisted_chainws.websocket.handshake import Refuse

ETHEREUM = DIALECTS[0]


def _routes(
    *, names: tuple[str, ...] = ("devchain",), dialect: Any = ETHEREUM, **known: Any
) -> Routes:
    services: Any = {name: f"service of {name}" for name in names}
    accounts = Accounts(now=lambda: 0.0, **known)
    return Routes(
        services=services, dialect=dialect, catalog=DIALECTS, accounts=accounts, limits=None
    )


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
    assert str(route.service) == "service of devchain"


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
def test_every_dialect_has_its_path_on_the_combined_listener(dialect: Dialect) -> None:
    """Its name is the path; on the root every dialect may be meant."""
    combined = _routes(dialect=None)
    for path in (f"/{dialect.name}", f"/{dialect.name}/"):
        assert combined.find(path, None).dialects == (dialect,)
    assert dialect in combined.find("/", None).dialects
    assert _status(combined, f"/{dialect.name}/x") == 404


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
def test_paths_of_a_listener_of_its_own(dialect: Dialect) -> None:
    """Where a dialect's nodes look at no path every one leads to it."""
    own = _routes(dialect=dialect)
    assert own.find("/", None).dialects == own.find(f"/{dialect.name}", None).dialects == (dialect,)
    if dialect.any_path:
        assert own.find("/v1/anything", None).dialects == (dialect,)
    else:
        assert _status(own, "/v1/anything") == 404


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


@pytest.mark.parametrize("slug", NETWORKS)
def test_a_lone_network_is_all_of_them_unless_it_is_one_of_them(slug: str) -> None:
    """A chain that nobody named after a network answers for each; one that is named does not."""
    path = f"/vipapi/websocket/node/{slug.upper()}/k"
    assert str(_routes().find(path, None).service) == "service of devchain"
    named = _routes(names=(slug,))
    assert str(named.find(path, None).service) == f"service of {slug}"
    assert _status(named, "/vipapi/websocket/node/devchain/k") == 404
    for other in set(NETWORKS) - {slug, "kcc", "kcs"}:
        assert _status(named, f"/vipapi/websocket/node/{other}/k") == 404


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


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer good", "good"),
        ("bearer   good ", "good"),
        (_basic("user:good"), "good"),
        (_basic("good:"), "good"),
        (_basic(":good"), "good"),
        (_basic("user:with:colons"), "with:colons"),
        (_basic("ключ:"), "ключ"),
        ("basic " + base64.b64encode(b"x:good").decode(), "good"),
    ],
)
def test_credentials_stand_in_for_a_key(header: str, key: str) -> None:
    """Bearer tokens, and the password of Basic credentials or else their name, are keys."""
    routes = _routes(keys=(key,))
    assert routes.find("/", header).key == key
    assert _status(routes, "/v2/bad", header) == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic", "Basic !!!", "Basic Z29vZA==", "Basic //8=", "Basic Og==", "Digest x"],
)
def test_credentials_that_hold_no_key(header: str) -> None:
    """What cannot be read, has no colon or nothing on either side of it is no key."""
    assert _routes().find("/", header).key is None


@pytest.mark.parametrize("keys", [(), ("good",)])
@pytest.mark.parametrize(
    ("key", "text"),
    [("idle", "App is inactive."), ("spent", "Monthly capacity limit exceeded.")],
)
def test_known_keys_that_are_not_served(keys: tuple[str, ...], key: str, text: str) -> None:
    """Keys named inactive or exhausted are 403 wherever they stand; others are not hurt."""
    routes = _routes(keys=keys, inactive=("idle",), exhausted=("spent",))
    for path, header in (
        (f"/v2/{key}", None),
        (f"/ws/{key}", None),
        (f"/vipapi/websocket/node/eth/{key}", None),
        ("/", f"Bearer {key}"),
    ):
        with pytest.raises(Refuse) as caught:
            routes.find(path, header)
        assert caught.value.status == 403
        error = orjson.loads(caught.value.body)["error"]
        assert error == {"code": -32600, "message": text}
    assert routes.find("/v2/good", None).key == "good"


def test_refusal_is_a_json_rpc_error() -> None:
    """Bodies of refusals are JSON-RPC errors with a null id."""
    assert orjson.loads(refusal(429, "slow", code=429).body) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": 429, "message": "slow"},
    }
