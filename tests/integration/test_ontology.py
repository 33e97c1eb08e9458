"""What a client of Ontology's nodes notices besides the points: refusals, reorganisations, restarts."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.dialects.ontology.vectors import more_transactions
from tests.integration.ontology_node import (
    ADDRESSES,
    FEE,
    ONT,
    OWNERS,
    PAYEE,
    Node,
    Speaker,
    approve,
    sign,
    transfer,
)
from tests.running import free_port
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import NATIVE_CONTRACTS, ONG_CONTRACT
from twisted_chainws.dialects.ontology.transaction import encode_transaction

pytestmark = pytest.mark.integration

NOBODY: Final = encode_base58(PAYEE)
CALL: Final = b"\x00\x67" + b"\xab" * 20
"""Of a contract that somebody might have deployed."""

NOT_HERE: Final = {
    "a deployment": bytes.fromhex(more_transactions()["deploy"]["raw"]),
    "a call of WASM": bytes.fromhex(more_transactions()["wasm"]["raw"]),
    "a call of NeoVM": encode_transaction(sign(0, CALL)),
    **{
        name: encode_transaction(sign(0, build_call(NATIVE_CONTRACTS[name], "anything")))
        for name in ("ONTID", "PARAM", "AUTH", "GOVERNANCE", "CROSS_CHAIN", "ONTFS")
    },
}
"""What needs what is not on this chain -> such a transaction."""

FAILING: Final = {
    "another's money": (
        sign(0, build_call(ONG_CONTRACT, "approve", b"\0" * 20, ADDRESSES[0], 1)),
        "",
    ),
    "more than there is": (transfer(0, 10**9), "balance insufficient"),
    "more than there can be": (transfer(0, 10**10), "totalSupply"),
    "a method that is not there": (
        sign(0, build_call(ONG_CONTRACT, "mint")),
        f"Native contract {ONG_CONTRACT.hex()} doesn't support this function mint.",
    ),
}
"""What fails wherever it is run -> such a transaction, and what is said of it."""


@pytest.fixture(scope="module", name="node")
def _node() -> Any:
    with Node() as node:
        yield node


@pytest.mark.parametrize("what", NOT_HERE)
def test_what_is_not_here_is_refused(node: Node, what: str) -> None:
    """In words, tried and sent; nothing is invented and nothing waits."""
    data = NOT_HERE[what].hex()
    tried = node.ontology.ask("sendrawtransaction", Data=data, PreExec="1")
    assert (tried["Error"], tried["Desc"]) == (47001, "SMARTCODE EXEC ERROR")
    assert "not" in tried["Result"]
    sent = node.ontology.ask("sendrawtransaction", Data=data)
    assert (sent["Error"], sent["Desc"]) == (-1, "INTERNAL ERROR, ErrUnknown")
    assert sent["Result"] == tried["Result"]
    assert node.ontology.get("getmempooltxcount") == [0, 0]


@pytest.mark.parametrize("what", FAILING)
def test_what_fails_is_not_taken(node: Node, what: str) -> None:
    """The text of the node, as 47001 when tried and as -1 when sent."""
    transaction, text = FAILING[what]
    data = encode_transaction(transaction).hex()
    tried = node.ontology.ask("sendrawtransaction", Data=data, PreExec="1")
    sent = node.ontology.ask("sendrawtransaction", Data=data)
    assert (tried["Error"], sent["Error"]) == (47001, -1)
    assert text in tried["Result"]
    assert tried["Result"] == sent["Result"]


def test_a_broken_signature(node: Node) -> None:
    """Trying does not look at it, sending does."""
    raw = bytearray(encode_transaction(transfer(0, 1)))
    place = raw.index(b"\x40", len(raw) - 110)
    raw[place + 5] ^= 1
    data = raw.hex()
    assert node.ontology.get("sendrawtransaction", Data=data, PreExec="1")["State"] == 1
    reply = node.ontology.ask("sendrawtransaction", Data=data)
    assert (reply["Error"], reply["Desc"]) == (45021, "")
    assert reply["Result"] == "transaction verify signature fail"


def test_a_transaction_that_fails_in_its_block_pays(node: Node) -> None:
    """Two spend the same ONT: both wait, one of them finds nothing left and pays its fee."""
    node.ethereum.call("evm_setAutomine", False)
    ten_million = 10**8 // 10
    poor = transfer(4, 10**8, payee=ADDRESSES[5])
    spends = [transfer(4, ten_million * 6), poor]
    hashes = [node.ontology.send(each) for each in spends]
    node.mine()
    events = [node.ontology.push()["Result"] for _ in hashes]
    node.ethereum.call("evm_setAutomine", True)
    assert [each["TxHash"] for each in events] == hashes
    assert [each["State"] for each in events] == [1, 0]
    assert [len(each["Notify"]) for each in events] == [2, 1]
    assert [each["GasConsumed"] for each in events] == [FEE, FEE]
    assert node.ontology.get("getbalance", Addr=OWNERS[4])["ont"] == str(ten_million * 4)


def heights(speaker: Speaker) -> list[int]:
    """Return of which blocks hashes were pushed."""
    return [push["Result"]["Height"] for push in speaker.settle()]


@pytest.mark.parametrize("confirmations", [0, 2])
def test_reorganisations_repeat_heights(confirmations: int) -> None:
    """A new branch is announced again, a rollback is not; what waits for confirmations is not yet."""
    with Node("--confirmations", str(confirmations)) as node:
        follower = node.ontology
        follower.follow("SubscribeBlockTxHashs")
        node.mine(5)
        # Held back, the first block waits for others, too.
        assert heights(follower) == list(range(not confirmations, 6 - confirmations))
        node.ethereum.call("anvil_reorg", 2, [])
        assert follower.get("getblockheight") == 5
        assert heights(follower) == ([4, 5] if not confirmations else [])
        node.ethereum.call("anvil_rollback", 2)
        assert follower.get("getblockheight") == 3
        assert heights(follower) == []
        node.mine(3)
        assert heights(follower) == ([4, 5, 6] if not confirmations else [4])


def test_the_combined_port() -> None:
    """The path or the first message leads in; others speak their own language beside it."""
    port = free_port()
    with Node("--listen", f"any=tcp:{port}") as node:
        for path in ("/ontology", "/"):
            with Speaker(port, path) as peer:
                assert peer.get("getnetworkid") == 3
                assert peer.get("heartbeat")["ContractsFilter"] is None
        assert node.ontology.get("getsessioncount") == 1


def test_state_outlives_the_server(tmp_path: Path) -> None:
    """Balances, allowances, blocks, proofs and what waits are as they were."""
    options = ("--data-dir", str(tmp_path), "--no-mining")
    mined, waiting = transfer(0, 7), transfer(0, 8)
    allowed = approve(0, ADDRESSES[1], 3)

    def seen(node: Node) -> list[Any]:
        get, name = node.ontology.get, encode_reversed(mined.hash)
        return [
            get("getblockbyheight", Height=1),
            get("getsmartcodeeventbyheight", Height=1),
            get("getmerkleproof", Hash=name),
            get("getbalancev2", Addr=NOBODY),
            get("getallowance", Asset="ont", From=OWNERS[0], To=OWNERS[1]),
            get("getstorage", Hash=ONT, Key=PAYEE.hex()),
            get("getmempooltxhashlist"),
        ]

    with Node(*options) as node:
        for transaction in (mined, allowed):
            node.ontology.send(transaction)
        node.mine()
        node.ontology.send(waiting)
        before = seen(node)
        assert before[-1] == [list(waiting.hash)]
    with Node(*options) as node:
        assert seen(node) == before
        node.mine()
        assert node.ontology.get("getbalance", Addr=NOBODY)["ont"] == "15"
        again = encode_transaction(mined).hex()
        assert node.ontology.ask("sendrawtransaction", Data=again)["Error"] == 45002
