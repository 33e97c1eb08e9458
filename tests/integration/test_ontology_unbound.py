"""ONG that ONT gives: told, released by a move, claimed; on the networks and in the years it is."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.ontology_node import (
    ADDRESSES,
    FEE,
    ONG,
    ONT,
    OWNERS,
    PAYEE,
    Node,
    transfer,
    transfer_from,
)
from tests.interop.stage import PROGRAM_LIMIT_S
from tests.interop.test_ontology_js import interpreter
from twisted_chainws.dialects.ontology.address import encode_base58
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT
from twisted_chainws.dialects.ontology.transaction import encode_transaction
from twisted_chainws.dialects.ontology.unbound import GENESIS_TIME, holder_deadline, unbound_ong
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

pytestmark = pytest.mark.integration

JANUARY_2019: Final = 1_546_300_800
JANUARY_2021: Final = 1_609_459_200
DAY_S: Final = 86_400
NOBODY: Final = encode_base58(PAYEE)
CONTRACT: Final = encode_base58(ONT_CONTRACT)
SHARE: Final = 10**8
"""ONT of each account."""

SDK: Final = """
const { Crypto, OntAssetTxBuilder, TransactionBuilder, WebsocketClient } = require('ontology-ts-sdk')
const [url, secret, payee, amount] = process.argv.slice(1)
const key = new Crypto.PrivateKey(secret)
const from = Crypto.Address.fromPubKey(key.getPublicKey())
const to = new Crypto.Address(payee)
const claim = OntAssetTxBuilder.makeWithdrawOngTx(from, to, amount, from, '2500', '20000')
TransactionBuilder.signTransaction(claim, key)
new WebsocketClient(url).sendRawTransaction(claim.serialize(), false, true)
  .then(({ Result }) => console.log(JSON.stringify(Result)))
"""


def start(network: int, timestamp: int) -> Node:
    """Make a server whose blocks are a day apart."""
    return Node(
        *("--ontology-network", str(network), "--timestamp", str(timestamp)),
        *("--seed", "3", "--block-time", str(DAY_S)),
    )


@pytest.fixture(name="node")
def _node() -> Iterator[Node]:
    with start(1, JANUARY_2019) as node:
        node.ethereum.call("evm_setIntervalMining", 0)
        yield node


def offset(node: Node, account: bytes) -> int:
    """Return from when on an account is owed ONG, seconds after the first block of the main net."""
    key = b"unboundTimeOffset".hex() + account.hex()
    stored = node.ontology.get("getstorage", Hash=ONT, Key=key)
    return int.from_bytes(bytes.fromhex(stored), "little")


def by_the_sdk(node: Node, amount: int) -> Any:
    """Claim with the unmodified JavaScript library and return what it was notified of; or skip."""
    program, packages = interpreter()
    secret = WELL_KNOWN_ACCOUNTS[0].ontology_key.hex()
    done = subprocess.run(
        [program, "-e", SDK, f"ws://127.0.0.1:{node.port}", secret, PAYEE.hex(), str(amount)],
        env=os.environ | {"NODE_PATH": packages},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=PROGRAM_LIMIT_S,
    )
    return json.loads(done.stdout.splitlines()[-1])


def by_the_codec(node: Node, amount: int) -> Any:
    """Claim with the codec of this package."""
    node.ontology.send(transfer_from(0, ONT_CONTRACT, amount, ONG_CONTRACT))
    return node.ontology.push()["Result"]


@pytest.mark.parametrize("claim", [by_the_sdk, by_the_codec])
def test_ong_is_given_and_claimed(node: Node, claim: Callable[[Node, int], Any]) -> None:
    """Told by getgrantong, by getunboundong once ONT has moved, and then by the balance."""
    get = node.ontology.get
    node.ethereum.call("evm_setAutomine", True)
    node.mine(9)
    told = int(get("getgrantong", Addr=OWNERS[0]))
    assert get("getunboundong", Addr=OWNERS[0]) == "0"
    node.ethereum.call("evm_setAutomine", False)
    node.ontology.send(transfer(0, 100))
    expected = unbound_ong(
        SHARE,
        offset(node, ADDRESSES[0]),
        JANUARY_2019 + 10 * DAY_S - GENESIS_TIME,
        deadline=holder_deadline(1),
    )
    node.mine()
    assert told == expected > 0
    assert node.ontology.push()["Action"] == "Notify"
    assert get("getunboundong", Addr=OWNERS[0]) == str(expected)
    assert get("getallowance", Asset="ong", From=CONTRACT, To=OWNERS[0]) == str(expected)
    assert get("getunboundong", Addr=NOBODY) == "0"
    for account in (ADDRESSES[0], PAYEE):
        assert offset(node, account) == JANUARY_2019 + 10 * DAY_S - GENESIS_TIME
    before = int(get("getbalance", Addr=OWNERS[0])["ong"])
    node.ethereum.call("evm_setAutomine", True)
    event = claim(node, 12_345)
    assert event["Notify"][0] == {
        "ContractAddress": ONG, "States": ["transfer", CONTRACT, NOBODY, 12_345], "IsEvm": False,
    }  # fmt: skip
    assert get("getbalance", Addr=NOBODY)["ong"] == "12345"
    assert get("getunboundong", Addr=OWNERS[0]) == str(expected - 12_345)
    assert int(get("getbalance", Addr=OWNERS[0])["ong"]) == before - FEE
    too_much = encode_transaction(transfer_from(0, ONT_CONTRACT, expected, ONG_CONTRACT)).hex()
    assert node.ontology.ask("sendrawtransaction", Data=too_much)["Error"] == -1


def test_after_the_deadline_all_of_it_comes_at_once() -> None:
    """A move of ONT pays what was owed until then, and nothing is left to claim."""
    with start(1, JANUARY_2021) as node:
        get = node.ontology.get
        node.ethereum.call("evm_setIntervalMining", 0)
        node.ethereum.call("evm_setAutomine", True)
        told = int(get("getgrantong", Addr=OWNERS[0]))
        expected = unbound_ong(
            SHARE, offset(node, ADDRESSES[0]), 10**9, deadline=holder_deadline(1)
        )
        assert told == expected > 0
        before = int(get("getbalance", Addr=OWNERS[0])["ong"])
        node.ontology.send(transfer(0, 1))
        states = [each["States"] for each in node.ontology.push()["Result"]["Notify"]]
        assert get("getunboundong", Addr=OWNERS[0]) == "0"
        assert int(get("getbalance", Addr=OWNERS[0])["ong"]) == before + expected - FEE
        assert states[0] == ["transfer", CONTRACT, OWNERS[0], expected]
        assert states[-2] == ["transfer", OWNERS[0], NOBODY, 1]
        assert get("getgrantong", Addr=OWNERS[0]) == "0"


@pytest.mark.parametrize("network", [3, 12_345])
def test_elsewhere_nothing_is_given(network: int) -> None:
    """Neither on a chain of one's own nor on a private network."""
    with start(network, JANUARY_2019) as node:
        get = node.ontology.get
        node.ethereum.call("evm_setIntervalMining", 0)
        node.ethereum.call("evm_setAutomine", True)
        node.mine(3)
        assert get("getnetworkid") == network
        assert get("getgrantong", Addr=OWNERS[0]) == "0"
        node.ontology.send(transfer(0, 1))
        assert len(node.ontology.push()["Result"]["Notify"]) == 2
        assert get("getunboundong", Addr=OWNERS[0]) == "0"
