"""The eleven points that a black-box test of Ontology's protocol should check, and where each is.

The tests below look from outside at a real server, except where a clock has to be moved. Source:
``ontology.md`` 13.
"""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import orjson
import pytest

from tests.integration.ontology_node import (
    ADDRESSES,
    FLAGS,
    ONG,
    ONT,
    Node,
    Speaker,
    approve,
    transfer,
)
from tests.traceability import missing
from tests.wire import PING, Closed
from twisted_chainws.dialects import ontology
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT
from twisted_chainws.dialects.ontology.transaction import Transaction, encode_transaction
from twisted_chainws.testing import FakeSource, connect

pytestmark = pytest.mark.integration

_HERE: Final = "integration/test_ontology_points.py::"
_ACTIONS: Final = "integration/test_ontology_actions.py::"
_CODECS: Final = "dialects/ontology/"
_PYTHON: Final = "interop/test_ontology_python.py::"
_JS: Final = "interop/test_ontology_js.py::test_ontology_js"

POINTS: Final = {
    "1 messages that come to no handler": (_HERE + "test_what_comes_to_no_handler",),
    "2 texts that are none": (_HERE + "test_what_comes_to_no_handler",),
    "3 ids": (_HERE + "test_ids_come_back",),
    "4 every action": (
        _ACTIONS + "test_all_actions_are_here",
        _ACTIONS + "test_answers",
        _ACTIONS + "test_refusals",
        _ACTIONS + "test_nothing_is_an_empty_text",
        _ACTIONS + "test_events_of_a_block",
        _ACTIONS + "test_trying_and_sending",
    ),
    "5 heights": (_HERE + "test_heights",),
    "6 subscribing": (_HERE + "test_subscribing_merges",),
    "7 pushes": (
        _HERE + "test_pushes_and_their_order",
        _HERE + "test_a_transaction_is_told_once",
    ),
    "8 idle connections": (
        _HERE + "test_an_idle_connection_expires",
        _HERE + "test_five_minutes",
    ),
    "9 sizes": (_HERE + "test_the_largest_message",),
    "10 vectors": (
        _CODECS + "test_transaction.py::test_published_transactions",
        _CODECS + "test_transaction.py::test_published_signers",
        _CODECS + "test_merkle.py::test_published_proofs",
        _CODECS + "test_block.py::test_published_block",
        _CODECS + "test_unbound.py::test_published_cases",
    ),
    "11 unmodified libraries": (
        _PYTHON + "test_nothing_it_offers_is_left_out",
        _PYTHON + "test_it_pays",
        _PYTHON + "test_its_verifier_accepts_the_proof",
        _JS + "[pays with ONG V2 and waits for the notice]",
        _JS + "[offers nothing that was not used]",
    ),
}
"""Number and matter of a point -> the tests, below ``tests``."""

SWEEP_S: Final = 10.0
"""How often idle connections are looked for."""

EXPIRED: Final = {
    "Action": "",
    "Desc": "SESSION EXPIRED",
    "Error": 41001,
    "Result": "",
    "Version": "1.0.0",
}


def test_every_point_has_its_tests() -> None:
    """None is left out, and all that are named are there and run."""
    assert [int(point.split()[0]) for point in POINTS] == list(range(1, 12))
    assert {point: missing(tests) for point, tests in POINTS.items() if missing(tests)} == {}


@pytest.fixture(scope="module", name="node")
def _node() -> Iterator[Node]:
    with Node() as node:
        node.mine(6)
        yield node


def early(code: int, text: str) -> dict[str, Any]:
    """Return a refusal without action and id."""
    return {"Action": "", "Desc": text, "Error": code, "Result": "", "Version": "1.0.0"}


@pytest.mark.parametrize("opcode", [1, 2])
def test_what_comes_to_no_handler(node: Node, opcode: int) -> None:
    """It is refused without an id, and the connection stays open."""
    illegal = early(41003, "ILLEGAL DATAFORMAT")
    unknown = early(42001, "INVALID METHOD")
    no_text = early(42002, "INVALID PARAMS")
    rows = [
        *((text, illegal) for text in ("[]", "{", '""', "{}x", "5", "true", "nul", " ")),
        *((text, unknown) for text in ("null", "{}", '{"Action":1}', '{"Action":null,"Id":1}')),
        ('{"Action":"getsyncstatus","Id":1}', unknown),
        ('{"Action":"GetVersion","Id":1}', unknown),
        ('{"action":"getversion","Id":1}', unknown),
        ('{"Action":"getversion","Hash":5,"Id":1}', no_text),
        ('{"Action":"getversion","Addr":[],"Id":1}', no_text),
        ('{"Action":"getversion","Assetid":false,"Id":1}', no_text),
    ]
    with node.speaker() as peer:
        for text, reply in rows:
            assert peer.exchange(text.encode(), opcode) == reply, text
        assert peer.exchange(b'{"Action":"getversion","Hash":null}', opcode)["Error"] == 0


@pytest.mark.parametrize(
    "value", ["7", '"x"', "null", "1.5", '{"a":1}', "[1,[2]]", "-1", "true", '""', str(2**63 - 1)]
)
def test_ids_come_back(node: Node, value: str) -> None:
    """As they were sent, all digits included."""
    text = f'{{"Action":"getblockheight","Version":"V1.0.0","Id":{value}}}'
    node.ontology.wire.send(text.encode())
    assert f'"Error":0,"Id":{value},"Result":'.encode() in node.ontology.wire.receive()


def test_an_absent_id_is_null(node: Node) -> None:
    """The member is there."""
    reply = node.ontology.exchange(b'{"Action":"getblockheight"}')
    assert reply["Id"] is None
    assert node.ontology.exchange(b'{"Action":"getblockhash"}')["Id"] is None


@pytest.mark.parametrize(
    ("height", "found"),
    [
        (5, 5), ("5", 5), (5.9, 5), ("+5", 5), ("005", 5), (2**32 + 5, 5), (str(2**32), 0),
        ("", 42002), (True, 42002), (None, 42002), ("5.0", 42002), ("0x5", 42002), (" 5", 42002),
        (-1, 44003), ("-1", 44003), (99, 44003), ([5], 42002), (1e300, 42002),
    ],
)  # fmt: skip
def test_heights(node: Node, height: Any, found: int) -> None:
    """Numbers are cut, texts are decimal, and 32 bits of them count."""
    reply = node.ontology.ask("getblockbyheight", Height=height)
    if found < 42002:
        assert reply["Result"]["Header"]["Height"] == found
    else:
        assert reply["Error"] == found


def test_subscribing_merges(node: Node) -> None:
    """Each request changes what it says; the heartbeat tells what it has come to."""
    everything = dict.fromkeys(FLAGS, True)
    nothing = dict.fromkeys(FLAGS, False)
    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, nothing | {"ContractsFilter": None}),
        ({"SubscribeEvent": True}, nothing | {"SubscribeEvent": True, "ContractsFilter": None}),
        ({"ContractsFilter": [ONT, 5, ONG]}, {"ContractsFilter": [ONT, ONG]}),
        (everything, everything | {"ContractsFilter": [ONT, ONG]}),
        ({"SubscribeEvent": 0, "SubscribeRawBlock": "false", "ContractsFilter": ONT}, everything),
        ({"SubscribeRawBlock": False}, {"SubscribeRawBlock": False, "SubscribeEvent": True}),
        ({"ContractsFilter": [ONG]}, {"ContractsFilter": [ONG]}),
        ({"ContractsFilter": []}, {"ContractsFilter": []}),
        ({"ConstractsFilter": [ONT]}, {"ContractsFilter": [ONT]}),
        ({"ConstractsFilter": [], "ContractsFilter": [ONG]}, {"ContractsFilter": [ONG]}),
        (nothing, nothing | {"ContractsFilter": [ONG]}),
    ]
    with node.speaker() as peer:
        for members, expected in steps:
            result = peer.get("subscribe", **members)
            assert result | expected == result, members
            assert peer.get("heartbeat") == result
            assert list(result) == [
                "ContractsFilter", "SubscribeEvent", "SubscribeJsonBlock", "SubscribeRawBlock",
                "SubscribeBlockTxHashs",
            ]  # fmt: skip
        assert node.ontology.get("heartbeat") == nothing | {"ContractsFilter": None}


def named(transaction: Transaction) -> str:
    """Return the hash as it is shown."""
    return encode_reversed(transaction.hash)


def told(speaker: Speaker) -> list[tuple[str, Any]]:
    """Return action and matter of all pushes so far."""
    found: list[tuple[str, Any]] = []
    for push in speaker.settle():
        assert list(push) == ["Action", "Desc", "Error", "Result", "Version"]
        assert (push["Desc"], push["Error"], push["Version"]) == ("SUCCESS", 0, "1.0.0")
        action, result = push["Action"], push["Result"]
        if action == "Notify":
            found.append((action, result["TxHash"]))
        elif action == "sendrawblock":
            found.append((action, len(result)))
        elif action == "sendjsonblock":
            found.append((action, [each["Hash"] for each in result["Transactions"]]))
        else:
            found.append((action, result["Transactions"]))
    return found


BLOCK_FLAGS: Final = ("SubscribeJsonBlock", "SubscribeRawBlock", "SubscribeBlockTxHashs")


def test_pushes_and_their_order() -> None:
    """Of a block with two transactions and of an empty one; each hears what it asked for."""
    with Node() as node:
        node.ethereum.call("evm_setAutomine", False)
        subscribed, sender = node.speaker(), node.ontology
        everything, hit, miss, blocks, hashes = [node.speaker() for _ in range(5)]
        everything.follow(*FLAGS)
        hit.follow("SubscribeEvent", contracts=[ONT])
        miss.follow("SubscribeEvent", contracts=[ONT.upper().replace("0", "1"), ONT[::-1]])
        blocks.follow(*BLOCK_FLAGS, contracts=[])
        hashes.follow("SubscribeBlockTxHashs")
        subscribed.follow("SubscribeEvent")
        first, second = transfer(0, 4), transfer(1, 4, ONG_CONTRACT)
        sender.send(first)
        subscribed.send(second)
        both = [named(first), named(second)]
        for speaker in (everything, hit, miss, blocks, hashes, subscribed, sender):
            assert speaker.settle() == []
        node.mine(2)
        size, empty = (len(sender.get("getblockbyheight", Height=at, Raw=1)) for at in (1, 2))
        of_blocks = [
            ("sendrawblock", size),
            ("sendjsonblock", both),
            ("sendblocktxhashs", both),
            ("sendrawblock", empty),
            ("sendjsonblock", []),
            ("sendblocktxhashs", []),
        ]
        notices = [("Notify", each) for each in both]
        assert told(everything) == notices + of_blocks
        assert told(hit) == notices[:1]
        assert told(miss) == []
        assert told(blocks) == of_blocks
        assert told(hashes) == [of_blocks[2], of_blocks[5]]
        assert told(sender) == notices[:1]
        assert told(subscribed) == notices


def test_a_transaction_is_told_once() -> None:
    """Who sent it and does not follow events hears of it in one block only; later ones are new."""
    with Node() as node:
        sender, follower = node.ontology, node.speaker()
        follower.follow("SubscribeEvent")
        sent = transfer(0, 1)
        sender.send(sent)
        confirmed = sender.push()
        assert (confirmed["Action"], confirmed["Result"]["TxHash"]) == ("Notify", named(sent))
        assert told(follower) == [("Notify", named(sent))]
        node.ethereum.call("anvil_reorg", 1, [])
        node.mine()
        assert sender.get("getblockheightbytxhash", Hash=named(sent)) == 2
        assert sender.settle() == []
        assert told(follower) == [("Notify", named(sent))]
        # Refused: who sends it again has nothing to wait for.
        assert sender.ask("sendrawtransaction", Data=encode_transaction(sent).hex())["Error"]
        node.mine()
        assert sender.settle() == []
        # It leaves with its connection, too.
        other = node.speaker()
        node.ethereum.call("evm_setAutomine", False)
        other.send(approve(0, ADDRESSES[1], 1))
        other.wire.close()
        node.mine()
        assert sender.settle() == []


def test_reply_comes_before_the_notice(node: Node) -> None:
    """Also where the chain mines at once."""
    with node.speaker() as peer:
        for amount in range(1, 21):
            data = encode_transaction(transfer(2, amount)).hex()
            peer.wire.send(orjson.dumps({"Action": "sendrawtransaction", "Data": data, "Id": 1}))
            first, second = (json.loads(peer.wire.receive()) for _ in range(2))
            assert (first["Action"], second["Action"]) == ("sendrawtransaction", "Notify")
            assert second["Result"]["TxHash"] == first["Result"]


@pytest.mark.slow
def test_an_idle_connection_expires() -> None:
    """It is told so and closed; requests keep it, pings, refusals and pushes do not."""
    with Node("--limit", "ontology.idle-s=2") as node:
        silent, pinging, faulty, following, asking = [node.speaker() for _ in range(5)]
        dying = (silent, pinging, faulty, following)
        following.follow("SubscribeBlockTxHashs")
        living, end = list(dying), time.monotonic() + SWEEP_S + 5
        while living and time.monotonic() < end:
            # Who writes to a connection that has ended may lose what it was told last.
            for speaker, data, opcode in ((pinging, b"", PING), (faulty, b'{"Action":"none"}', 1)):
                if speaker in living and not _has_ended(speaker):
                    speaker.wire.send(data, opcode)
            node.mine()
            assert asking.ask("getblockhash")["Error"] == 42002
            living = [each for each in living if not _has_ended(each)]
            time.sleep(0.3)
        for speaker in dying:
            assert last_words(speaker) == (EXPIRED, 1000)
        assert asking.get("getsessioncount") == 1 + (not _has_ended(node.ontology))


def _has_ended(speaker: Speaker) -> bool:
    """Read what has come, and tell whether the end was among it."""
    try:
        while not any(isinstance(each, Closed) for each in speaker.pushes):
            speaker.pushes.append(json.loads(speaker.wire.receive(0.01)))
    except TimeoutError:
        return False
    except Closed as end:
        speaker.pushes.append(end)
    return True


def last_words(speaker: Speaker) -> tuple[Any, int]:
    """Return the last message of a connection that has ended and its close code."""
    end = next(each for each in speaker.pushes if isinstance(each, Closed))
    messages = [each for each in speaker.pushes if not isinstance(each, Closed)]
    return messages[-1], end.code


def test_five_minutes() -> None:
    """The default: a connection lives for 300 s after its last request and is gone by 311 s."""
    pair = connect(FakeSource(), dialect=ontology.DIALECT)
    for _ in range(2):
        pair.advance(290)
        pair.send({"Action": "heartbeat", "Id": 1})
        assert pair.messages.pop()["Error"] == 0
    pair.advance(295)
    pair.send(b"[]")
    assert pair.messages.pop()["Error"] == 41003
    assert pair.close_code is None
    for _ in range(16):
        pair.advance(1)
    assert pair.messages == [EXPIRED]
    assert pair.close_code == 1000


def test_the_largest_message(node: Node) -> None:
    """1 MiB is taken; one byte more closes with 1009."""
    text = b'{"Action":"getnetworkid"}'
    with node.speaker() as peer:
        assert peer.exchange(text.ljust(1_048_576))["Result"] == 3
        peer.wire.send(text.ljust(1_048_577))
        with pytest.raises(Closed) as closed:
            peer.wire.receive()
        assert closed.value.code == 1009


def test_any_path_and_any_offer(node: Node) -> None:
    """Paths are not looked at, subprotocols and compression not agreed to."""
    for path in ("/", "/ws/v1?x=1", "/anything"):
        with Speaker(node.port, path) as peer:
            assert peer.get("getnetworkid") == 3
