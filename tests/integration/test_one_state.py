"""One state under three languages: what is paid in one is seen in the others."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.integration.ontology_node import (
    ADDRESSES,
    FEE,
    GOVERNANCE,
    ONG,
    OWNERS,
    Node,
    transfer,
)
from tests.interop.stage import PROGRAM_LIMIT_S
from tests.interop.test_ontology_js import interpreter
from tests.running import free_port
from tests.signing import ADDRESSES as ETHEREUM
from tests.wire import Wire, post
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.tokens import GOVERNANCE_CONTRACT, ONG_CONTRACT
from twisted_chainws.dialects.ontology.transaction import encode_transaction
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

pytestmark = pytest.mark.integration

STRANGER: Final = Address20(b"\x5a" * 20)
GWEI: Final = 10**9
WEI_PER_QA: Final = 10**6
AMOUNT: Final = 2_500_000_000
"""10^-9 ONG."""

TRANSFER_TOPIC: Final = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

SDK: Final = """
const { Crypto, OntAssetTxBuilder, TransactionBuilder, WebsocketClient } = require('ontology-ts-sdk')
const [url, secret, payee, amount] = process.argv.slice(1)
const key = new Crypto.PrivateKey(secret)
const from = Crypto.Address.fromPubKey(key.getPublicKey())
const to = new Crypto.Address(payee)
const transaction = OntAssetTxBuilder.makeTransferTx('ONG', from, to, amount, '2500', '20000', from)
TransactionBuilder.signTransaction(transaction, key)
new WebsocketClient(url).sendRawTransaction(transaction.serialize(), false, true)
  .then(({ Result }) => console.log(JSON.stringify(Result)))
"""


class Three(Node):
    """A server with a listener for each language."""

    def __init__(self) -> None:
        self.zilliqa_port = free_port()
        super().__init__("--listen", f"zilliqa=tcp:{self.zilliqa_port}")

    def wei(self, address: bytes) -> int:
        """Return what Ethereum's clients see."""
        return int(self.ethereum.call("eth_getBalance", "0x" + address.hex(), "latest"), 16)

    def qa(self, address: bytes) -> int:
        """Return what Zilliqa's clients see; nothing for an account that is not there."""
        question = {"id": 1, "jsonrpc": "2.0", "method": "GetBalance", "params": [address.hex()]}
        status, answer = post(self.zilliqa_port, orjson.dumps(question))
        assert status == 200
        return int(json.loads(answer).get("result", {"balance": "0"})["balance"])

    def ong(self, address: Address20) -> int:
        """Return what Ontology's clients see, 10^-18 ONG."""
        return int(self.ontology.get("getbalancev2", Addr=encode_base58(address))["ong"])

    def views(self, address: Address20) -> int:
        """Return the balance that all three agree on, wei."""
        wei = self.wei(address)
        assert (self.ong(address), self.qa(address)) == (wei, wei // WEI_PER_QA)
        return wei


@pytest.fixture(scope="module", name="node")
def _node() -> Iterator[Three]:
    with Three() as node:
        node.running.wait(node.zilliqa_port)
        yield node


def by_the_sdk(node: Three, amount: int) -> Any:
    """Pay with the unmodified JavaScript library, and return what it was notified of; or skip."""
    program, packages = interpreter()
    secret = WELL_KNOWN_ACCOUNTS[0].ontology_key.hex()
    arguments = (f"ws://127.0.0.1:{node.port}", secret, STRANGER.hex(), str(amount))
    done = subprocess.run(
        [program, "-e", SDK, *arguments],
        env=os.environ | {"NODE_PATH": packages},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=PROGRAM_LIMIT_S,
    )
    return json.loads(done.stdout.splitlines()[-1])


def by_the_codec(node: Three, amount: int) -> Any:
    """Pay with the codec of this package."""
    sent = transfer(0, amount, ONG_CONTRACT, STRANGER)
    data = encode_transaction(sent).hex()
    node.ontology.get("sendrawtransaction", Data=data)
    return node.ontology.push()["Result"]


@pytest.mark.parametrize("pay", [by_the_sdk, by_the_codec])
def test_ong_is_the_coin_of_all(node: Three, pay: Any) -> None:
    """A payment of Ontology moves what Ethereum and Zilliqa show, and the fee to governance."""
    accounts = (ADDRESSES[0], STRANGER, GOVERNANCE_CONTRACT)
    before = [node.views(each) for each in accounts]
    event = pay(node, AMOUNT)
    after = [node.views(each) for each in accounts]
    moved = [late - early for early, late in zip(before, after, strict=True)]
    assert moved == [-(AMOUNT + FEE) * GWEI, AMOUNT * GWEI, FEE * GWEI]
    assert event["State"] == 1
    assert [each["States"] for each in event["Notify"]] == [
        ["transfer", OWNERS[0], encode_base58(STRANGER), AMOUNT],
        ["transfer", OWNERS[0], GOVERNANCE, FEE],
    ]
    # Ethereum sees the money and nothing else of it.
    block = node.ethereum.call("eth_getBlockByNumber", "latest", False)
    assert (block["transactions"], block["gasUsed"]) == ([], "0x0")


def test_a_payment_of_ethereum_is_an_event_everywhere(node: Three) -> None:
    """A subscriber of Ontology sees ONG move, one of Zilliqa a transaction to its account."""
    payer, wei = Address20(bytes.fromhex(ETHEREUM[3][2:])), 3 * WEI_PER_QA + 7
    before = [node.views(each) for each in (payer, STRANGER)]
    query = orjson.dumps({"query": "TxnLog", "addresses": ["0x" + STRANGER.hex()]})
    with node.speaker() as ontology, Wire(node.zilliqa_port) as zilliqa:
        ontology.follow("SubscribeEvent", contracts=[ONG])
        zilliqa.send(query)
        assert zilliqa.receive() == query
        fields = {"from": ETHEREUM[3], "to": "0x" + STRANGER.hex(), "value": hex(wei)}
        sent = node.ethereum.call("eth_sendTransaction", fields)
        event = ontology.push()["Result"]
        ((item,),) = [orjson.loads(zilliqa.receive())["values"]]
    assert event["TxHash"] == encode_reversed(bytes.fromhex(sent[2:]))
    receipt = node.ethereum.call("eth_getTransactionReceipt", sent)
    fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert event["GasStepUsed"] == int(receipt["gasUsed"], 16)
    assert {each["IsEvm"] for each in event["Notify"]} == {True}
    assert {each["ContractAddress"] for each in event["Notify"]} == {ONG}
    payment, paid_fee = [each["States"] for each in event["Notify"]]
    assert payment == moved(payer, STRANGER, wei)
    assert paid_fee == moved(payer, GOVERNANCE_CONTRACT, fee)
    ((entry,),) = [item["value"]]
    assert entry["log"][0]["ID"] == sent[2:]
    assert entry["log"][0]["amount"] == "3"
    after = [node.views(each) for each in (payer, STRANGER)]
    assert [late - early for early, late in zip(before, after, strict=True)] == [-wei - fee, wei]


def moved(source: Address20, target: Address20, wei: int) -> str:
    """Return how Ontology packs the log of a movement of ONG in the EVM."""
    topics = bytes.fromhex(TRANSFER_TOPIC) + bytes(12) + source + bytes(12) + target
    packed = ONG_CONTRACT + (3).to_bytes(4, "little") + topics + b"\x20" + wei.to_bytes(32, "big")
    return "0x" + packed.hex()
