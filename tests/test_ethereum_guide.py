"""``docs/ethereum.md``: its tables are those of the code, its messages are those of a server."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, Final

import orjson
import pytest

from tests.dialects.ethereum.views import make_view
from tests.pages import blocks, names, read_page, rows, section
from tests.running import Running
from tests.traceability import missing
from tests.wire import Refused, Wire, post
from twisted_chainws.dialects import alchemy, tokenview
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.catalog import make_dialects
from twisted_chainws.dialects.ethereum.capacity import limits_of
from twisted_chainws.dialects.ethereum.node_info import node_name
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import Fault, Subscribe
from twisted_chainws.dialects.outcomes import Refused as Refusal
from twisted_chainws.dialects.view import Profile
from twisted_chainws.errors import NonceTooLow, SourceUnavailable, UndecodableTransaction
from twisted_chainws.server.routes import NETWORKS
from twisted_chainws.testing import CallFailed, FakeSource, MemoryPair, connect

GUIDE: Final = read_page("ethereum.md")
PROFILES: Final = tuple(Profile)
VENDORS: Final = {*alchemy.TOPICS, *tokenview.TOPICS}


def dialect_of(profile: Profile) -> Dialect:
    """Return the Ethereum dialect of a profile."""
    (dialect,) = (each for each in make_dialects(profile) if each.name == "ethereum")
    return dialect


SUPERSET: Final = dialect_of(Profile.SUPERSET)


def asked(pair: MemoryPair, method: str, *params: Any) -> Any:
    """Return a result, or the error object."""
    try:
        return pair.call(method, *params)
    except CallFailed as failure:
        return failure.error


# Endpoints


@pytest.mark.integration
def test_every_path_takes_websocket_and_http() -> None:
    """The paths of the table lead to the chain over both; others nowhere."""
    table = rows(section(GUIDE, "Endpoints"), starts="| path |")
    slugs = [name for row in table for name in names(row[2])]
    assert slugs == list(NETWORKS)
    paths = [names(row[0])[0].replace("KEY", "some-key") for row in table]
    paths += [path.replace("NETWORK", name) for path in paths[-1:] for name in (*slugs, "Kcc")]
    body = b'{"id":1,"method":"eth_chainId"}'
    with Running("--silent") as server:
        for path in [path for path in paths if "NETWORK" not in path]:
            with Wire(server.port, path) as wire:
                assert wire.call("eth_chainId") == "0x7a69"
            assert post(server.port, body, path=path)[0] == 200
        for path in ("/v1/some-key", "/vipapi/websocket/node/NETWORK/some-key", "/ws/a/b"):
            with pytest.raises(Refused) as refused:
                Wire(server.port, path)
            assert refused.value.status == post(server.port, body, path=path)[0] == 404


# Subscriptions


def test_every_subscription_is_documented() -> None:
    """The table has the names that are no vendor's, each with its options."""
    table = rows(section(GUIDE, "Subscriptions"), starts="| name | option")
    assert {names(row[0])[0] for row in table} == set(SUPERSET.topics) - VENDORS
    pair = connect(FakeSource())
    for name, option, _ in table:
        for member in names(option):
            value = {"true": True, "address": {"address": []}, "topics": {"topics": [None] * 4}}
            given = value.get(member, {member: ["0x" + "00" * 32] * 200})
            assert pair.call("eth_subscribe", names(name)[0], given)
    pair.close()


# Profiles


def test_the_profiles_have_these_subscriptions() -> None:
    """Each cell is what the dialect of the profile knows, and no name is left out."""
    table = rows(section(GUIDE, "Profiles"), starts="| subscription |")
    header = section(GUIDE, "Profiles").split("\n| subscription |", 1)[1].partition("\n")[0]
    assert names(header) == list(PROFILES)
    listed = [name for row in table for name in names(row[0]) if name != "true"]
    assert set(listed) == set(SUPERSET.topics)
    for label, *cells in table:
        full = "true" in names(label)
        for profile, cell in zip(PROFILES, cells, strict=True):
            for name in [name for name in names(label) if name != "true"]:
                assert serves(profile, name, full=full) is (cell == "yes")


def serves(profile: Profile, name: str, *, full: bool) -> bool:
    """Tell whether a profile takes a subscription, maybe with ``true`` behind it."""
    dialect = dialect_of(profile)
    if not full:
        return name in dialect.topics
    try:
        outcome = dialect.methods["eth_subscribe"](make_view(profile=profile), [name, True])
    except Refusal:
        return False
    return isinstance(outcome, Subscribe)


def _error(found: Any) -> str:
    return f"{found['code']} `{found['message']}`"


def _words(profile: Profile, method: str, *params: Any) -> Any:
    pair = connect(FakeSource(), profile=profile)
    found = asked(pair, method, *params)
    pair.close()
    return found


def _head(profile: Profile) -> dict[str, Any]:
    pair = connect(FakeSource(), profile=profile)
    subscription = pair.call("eth_subscribe", "newHeads")
    pair.source.mine()
    (head,) = pair.notices(subscription)
    pair.close()
    return dict(head)


def _after_malformed(profile: Profile) -> str:
    pair = connect(FakeSource(), profile=profile)
    pair.send(b"{")
    code = pair.close_code
    pair.close()
    return "stays" if code is None else f"is closed with {code}"


def _batch(profile: Profile, method: str, count: int) -> str:
    pair = connect(FakeSource(), profile=profile)
    requests = [
        {"id": number, "method": method, "params": [{"blockNumber": "0x0"}]}
        for number in range(count)
    ]
    pair.send(requests)
    (answers,) = pair.messages
    pair.close()
    code = answers[0].get("error", {}).get("code")
    if method not in dialect_of(profile).methods:
        return ""
    return "taken" if len(answers) == count and code in {None, -32602} else str(code)


def _status(profile: Profile) -> str:
    http = dialect_of(profile).http
    assert http is not None
    return str(http.status(Fault(code=-32602, message="")))


def _without_second(profile: Profile) -> str:
    found = _words(profile, "eth_getBlockByNumber", "latest")
    return "hashes" if "hash" in found else str(found["code"])


def _unsubscribed(profile: Profile) -> str:
    found = _words(profile, "eth_unsubscribe", "0x1")
    return "`false`" if found is False else _error(found)


def _unavailable(profile: Profile) -> str:
    fault = dialect_of(profile).faults.of(SourceUnavailable(reason="…"))
    return f"{fault.code} `{fault.message}`"


WORDS: Final[dict[str, Callable[[Profile], str]]] = {
    "`web3_clientVersion` begins with": lambda profile: (
        f"`{node_name('chainws/v1', profile).partition('/')[0]}/`"
    ),
    "an unknown method": lambda profile: f"`{_words(profile, 'eth_foo')['message']}`",
    "a wrong argument": lambda profile: (
        "`" + _words(profile, "eth_getBalance", "0x12")["message"].partition(":")[0] + ": …`"
    ),
    "an unknown id in `eth_unsubscribe`": _unsubscribed,
    "`eth_getBlockByNumber` without its second argument": _without_second,
    "fields of inactive forks in `newHeads`": lambda profile: (
        "null" if None in _head(profile).values() else "left out"
    ),
    "`receiptRoot` beside `receiptsRoot` in `newHeads`": lambda profile: (
        "yes" if "receiptRoot" in _head(profile) else "no"
    ),
    "after malformed JSON the connection": _after_malformed,
    "code of a nonce that is too low": lambda profile: str(
        dialect_of(profile).faults.of(NonceTooLow(nonce=0, next_nonce=1)).code
    ),
    "code of a transaction that cannot be decoded": lambda profile: str(
        dialect_of(profile).faults.of(UndecodableTransaction(reason="")).code
    ),
    "the source does not answer": _unavailable,
    "an `alchemy_` name in a batch": lambda profile: _batch(
        profile, "alchemy_getTransactionReceipts", 2
    ),
    "a WebSocket batch of 21": lambda profile: _batch(profile, "eth_chainId", 21),
    "HTTP status of a wrong argument": _status,
}
"""First cell of a row -> what a profile says there."""


def test_the_profiles_say_this() -> None:
    """Each cell is what a server of the profile answers; ``=`` is the superset's answer."""
    table = rows(section(GUIDE, "Profiles"), starts="| | `superset`")
    assert [row[0] for row in table] == list(WORDS)
    for label, first, *others in table:
        said = [WORDS[label](profile) for profile in PROFILES]
        assert [first, *(first if cell == "=" else cell for cell in others)] == said, label


# Limits


def test_the_limits_are_those_of_the_records() -> None:
    """Every bound of a connection is there with its default and that of Alchemy."""
    table = rows(section(GUIDE, "Limits"), starts="| limit of a connection |")
    strict = limits_of(Profile.ALCHEMY)
    assert [(row[0], row[1], row[2]) for row in table] == [
        (
            f"`{each.name.replace('_', '-')}`",
            _number(getattr(Limits(), each.name)),
            "="
            if getattr(strict, each.name) == getattr(Limits(), each.name)
            else _number(getattr(strict, each.name)),
        )
        for each in fields(Limits)
    ]
    assert all(row[3] for row in table)
    for profile in set(Profile) - {Profile.ALCHEMY}:
        assert dialect_of(profile).limits == Limits()


def _number(value: float) -> str:
    if value == 0:
        return "0 (no bound)"
    return f"{value:,}" if isinstance(value, int) else str(value)


# Differences


DIFFERENCES: Final[dict[str, tuple[str, ...]]] = {
    "`newHeads` tells only the last head of a reorganisation": (
        "dialects/test_alchemy.py::test_heads_in_a_reorganisation",
        "integration/test_conformance.py::test_a_reorganisation_on_the_wire",
    ),
    "an unknown id in `eth_unsubscribe` is an error": (
        "dialects/test_catalog.py::test_unsubscribing_what_is_not_there",
    ),
    "no bound for a slow reader, who holds up everybody": (
        "server/test_protocol.py::test_ten_thousand_notices_are_too_many",
        "server/test_fanout.py::test_slices_take_turns_and_keep_the_order",
    ),
    "`logs` needs a filter object": ("dialects/test_tokenview.py::test_log_filters",),
    'a request without `"jsonrpc"` is refused': (
        "dialects/test_alchemy.py::test_a_request_without_version",
    ),
    "malformed JSON ends the connection": (
        "server/test_protocol.py::test_malformed_json_keeps_the_connection",
        "server/test_protocol.py::test_geth_hangs_up_after_malformed_json",
    ),
    "an empty message ends the connection": (
        "integration/test_conformance.py::test_malformed_messages_leave_the_connection_open",
    ),
    "text that is no UTF-8 is repaired": ("integration/test_conformance.py::test_frames",),
    "ids of subscriptions lose leading zeros": (
        "subscriptions/test_ids.py::test_every_id_has_32_digits_and_no_leading_zero",
    ),
    "null in `newHeads` for fields of inactive forks": (
        "dialects/ethereum/test_topics.py::test_geth_names_every_member_of_a_head",
        "dialects/ethereum/test_topics.py::test_other_profiles_leave_inactive_members_out",
    ),
    "`eth_getBlockByNumber` and `…ByHash` need both arguments": (
        "test_ethereum_guide.py::test_the_profiles_say_this",
    ),
    "heads and logs of a block race each other": (
        "subscriptions/test_events.py::test_a_reorg_is_told_in_the_order_of_the_wire",
        "dialects/test_alchemy.py::test_the_order_of_a_reorganisation_on_the_wire",
    ),
    "after a rewind the head that was gone back to is announced": (
        "integration/test_reorganisations.py::test_a_rollback_is_a_reorganisation_without_heads",
    ),
    "`safe` and `finalized` come from the beacon chain": (
        "chain/test_view.py::test_safe_and_finalized_lie_below_the_head",
    ),
    "a log query may take everything": ("dialects/ethereum/test_logs.py::test_bound",),
    "`eth_unsubscribe` over HTTP is always an error": (
        "server/test_site.py::test_unsubscribing_over_http",
        "test_vendor_pages.py::test_the_curl_of_alchemys_guide",
    ),
}
"""First cell of a row -> the tests that show what is done here."""


def test_every_difference_has_its_tests() -> None:
    """The table has these rows, each with a reason, and the tests of each are there."""
    table = rows(section(GUIDE, "Differences from go-ethereum"), starts="| go-ethereum |")
    assert [row[0] for row in table] == list(DIFFERENCES)
    assert all(row[2] for row in table)
    assert {row: missing(tests) for row, tests in DIFFERENCES.items() if missing(tests)} == {}


# The worked reorganisation


def _messages() -> Iterator[tuple[str, Any]]:
    """Yield what the section sends (``>``) and receives (``<``), parsed."""
    for block in blocks(section(GUIDE, "A reorganisation")):
        for mark, text in re.findall(r"^([><]) (.*(?:\n  .*)*)$", block, re.MULTILINE):
            yield mark, orjson.loads(text.replace("\n", ""))


def _fits(shown: Any, real: Any, ids: dict[str, str]) -> bool:
    """Tell whether a value is the one shown, with shortened texts and ids of its own."""
    if isinstance(shown, dict):
        return list(shown) == list(real) and all(_fits(shown[k], real[k], ids) for k in shown)
    if isinstance(shown, list):
        return len(shown) == len(real) and all(
            _fits(one, other, ids) for one, other in zip(shown, real, strict=True)
        )
    if isinstance(shown, str) and "…" in shown and shown not in ids:
        start, _, end = shown.partition("…")
        return isinstance(real, str) and real.startswith(start) and real.endswith(end)
    expected = ids.get(shown, shown) if isinstance(shown, str) else shown
    return type(expected) is type(real) and bool(expected == real)


@pytest.mark.parametrize(
    ("shown", "real", "fits"),
    [
        ({"a": "0x12…34", "b": [1]}, {"a": "0x120034", "b": [1]}, True),
        ({"a": "0x12…34"}, {"a": "0x120035"}, False),
        ({"a": "0x12…34"}, {"a": None}, False),
        ({"a": True}, {"a": False}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ([1], [1, 2], False),
        ("0xaa…aa", "0xbb", True),
        ("0xaa…aa", "0xaa00aa", False),
    ],
)
def test_a_wrong_message_would_be_noticed(shown: Any, real: Any, fits: bool) -> None:
    """Values, members and their order count; ids count as those that were given out."""
    assert _fits(shown, real, {"0xaa…aa": "0xbb"}) is fits


@pytest.mark.integration
def test_the_messages_of_a_reorganisation_are_real() -> None:
    """A server with that seed sends every message that the section shows, in that order."""
    ids: dict[str, str] = {}
    shown = list(_messages())
    assert [mark for mark, _ in shown].count(">") == 7
    with (
        Running("--silent", "--seed", "1", "--timestamp", "1700000000") as server,
        Wire(server.port) as wire,
    ):
        for at, (mark, request) in enumerate(shown):
            if mark == "<":
                continue
            expected = []
            for kind, message in shown[at + 1 :]:
                if kind == ">":
                    break
                expected.append(message)
            wire.send(orjson.dumps(request))
            real = [orjson.loads(wire.receive()) for _ in expected]
            # The answer may come before or after what it causes.
            for messages in (expected, real):
                messages.sort(key=lambda message: "id" not in message)
            if request["method"] == "eth_subscribe":
                ids[expected[0]["result"]] = real[0]["result"]
                expected[0]["result"] = real[0]["result"]
            for one, other in zip(expected, real, strict=True):
                assert _fits(one, other, ids), (one, other)
        assert len(ids) == 3
        assert wire.settle() == []


# Methods


ALL: Final = "all"
NOWHERE: Final = "no"


def _where(name: str) -> str:
    """Say where a method is served, in the words of the table."""
    having = {profile for profile in Profile if name in dialect_of(profile).methods}
    if not having:
        return NOWHERE
    everywhere = having == set(Profile)
    profiles = {
        frozenset(Profile): ALL,
        frozenset(Profile) - {Profile.GETH}: "not `geth`",
        frozenset({Profile.SUPERSET, Profile.ALCHEMY}): "`superset`, `alchemy`",
    }[frozenset(having)]
    if not _hidden(name):
        return profiles
    return "development" if everywhere else f"development, {profiles}"


def _hidden(name: str) -> bool:
    """Tell whether a method is unknown where the chain is no development chain."""
    unknown = SUPERSET.faults.unknown_method(name)
    try:
        SUPERSET.methods[name](make_view(development=False), [])
    except Refusal as refusal:
        return refusal.fault == unknown
    except Exception:  # noqa: BLE001 - whatever it says of the arguments, it is known
        return False
    return False


METHODS: Final = [
    (name, where, why)
    for cell, where, why in rows(section(GUIDE, "Methods"), starts="| methods | where |")
    for name in names(cell)
]


def test_every_method_is_documented_once() -> None:
    """The table has every method of every profile, and none twice."""
    listed = [name for name, _, _ in METHODS]
    assert sorted(listed) == sorted(set(listed))
    served = {name for profile in Profile for name in dialect_of(profile).methods}
    assert served == {name for name, where, _ in METHODS if where != NOWHERE}


@pytest.mark.parametrize(("name", "where", "why"), METHODS)
def test_a_method_is_where_the_table_says(name: str, where: str, why: str) -> None:
    """Profiles and kinds of chain are as the code has them; what is missing has a reason."""
    assert _where(name) == where
    assert why or where != NOWHERE


@pytest.mark.integration
def test_what_is_not_served_is_unknown() -> None:
    """A real server answers -32601 to each name that is not served, and to no other."""
    with Running("--silent") as server, Wire(server.port) as wire:
        batch = [
            {"id": at, "method": name, "params": {}} for at, (name, _, _) in enumerate(METHODS)
        ]
        wire.send(orjson.dumps(batch))
        for answer in orjson.loads(wire.receive()):
            _, where, _ = METHODS[answer["id"]]
            assert (answer.get("error", {}).get("code") == -32601) is (where == NOWHERE)
