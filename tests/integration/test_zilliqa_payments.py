"""Native payments and named events, from outside: HTTP, WebSocket and the chain between them."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import orjson
import pytest

from tests.contract import ABI, BYTECODE, selector
from tests.running import Running, free_port
from tests.signing import ADDRESSES
from tests.sources.devchain.engine.paying import PAYEE, payment, zilliqa_address
from tests.wire import Wire
from twisted_chainws.dialects.zilliqa.address import encode_bech32, encode_checksum
from twisted_chainws.dialects.zilliqa.transaction import SignedTransaction

pytestmark = pytest.mark.integration


class Node:
    """A server with an Ethereum and a Zilliqa listener."""

    def __init__(self, *options: str) -> None:
        self.port = free_port()
        listen = ("--listen", f"zilliqa=tcp:{self.port}")
        self.running = Running("--silent", *listen, *options)

    def __enter__(self) -> Self:
        self.running.__enter__()
        self.running.wait(self.port)
        self.ethereum = Wire(self.running.port)
        return self

    def __exit__(self, *_failure: object) -> None:
        self.ethereum.close()
        faults = self.running.faults()
        self.running.stop()
        assert faults == []

    def post(self, body: Any) -> tuple[int, Any]:
        """Return status and answer of a POST."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/", orjson.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def ask(self, method: str, *params: Any) -> Any:
        """Return the result of a method."""
        body = {"id": 1, "jsonrpc": "2.0", "method": method, "params": list(params)}
        status, answer = self.post(body)
        assert status == 200
        return answer["result"] if "result" in answer else answer["error"]

    def pay(self, transaction: SignedTransaction) -> Any:
        """Send a payment."""
        core = transaction.core
        return self.ask(
            "CreateTransaction",
            {
                "version": core.version,
                "nonce": core.nonce,
                "toAddr": encode_checksum(core.to),
                "amount": str(core.amount_qa),
                "pubKey": core.public_key.hex(),
                "gasPrice": str(core.gas_price_qa),
                "gasLimit": str(core.gas_limit),
                "code": "",
                "data": "",
                "signature": transaction.signature.hex(),
            },
        )


@pytest.fixture(scope="module", name="node")
def _node() -> Iterator[Node]:
    """Give one server to all tests that leave it usable."""
    with Node() as running:
        yield running


def test_a_payment_goes_round(node: Node) -> None:
    """A funded account pays; the block, both balances, the receipt and TxnLog tell of it."""
    sender, payee = encode_bech32(zilliqa_address(3)), PAYEE.hex()  # type: ignore[arg-type]
    before = node.ask("GetBalance", sender)
    assert before == {"balance": str(10_000 * 10**12), "nonce": 0}
    wire = Wire(node.port)
    query = b'{"query":"TxnLog","addresses":["0x%b"]}' % payee.encode()
    wire.send(query)
    assert wire.receive() == query
    sent = payment(3, amount_qa=2 * 10**12)
    transaction_id = sent.id.hex()
    assert node.pay(sent) == {"Info": "Txn processed", "TranID": transaction_id}
    ((item,),) = [orjson.loads(wire.receive())["values"]]
    wire.close()
    (entry,) = item["value"]
    assert (entry["address"], entry["log"][0]["ID"]) == (payee, transaction_id)
    assert entry["log"][0]["fromAddr"] == zilliqa_address(3).hex()
    shown = node.ask("GetTransaction", transaction_id)
    number = shown["receipt"]["epoch_num"]
    assert shown["receipt"] == {"cumulative_gas": "50", "epoch_num": number, "success": True}
    assert shown["signature"] == "0x" + sent.signature.hex().upper()
    assert node.ask("GetTransactionsForTxBlock", number) == [[transaction_id]]
    assert node.ask("GetTxnBodiesForTxBlock", number) == [shown]
    header = node.ask("GetTxBlock", number)["header"]
    assert (header["NumTxns"], header["TxnFees"]) == (1, str(50 * 2 * 10**9))
    fee = 50 * 2 * 10**9
    left = 10_000 * 10**12 - 2 * 10**12 - fee
    assert node.ask("GetBalance", sender) == {"balance": str(left), "nonce": 1}
    assert node.ask("GetBalance", payee)["balance"] == str(2 * 10**12)
    assert node.ask("GetRecentTransactions")["TxnHashes"][0] == transaction_id
    # Ethereum sees the money and nothing else of it.
    address = "0x" + zilliqa_address(3).hex()
    assert int(node.ethereum.call("eth_getBalance", address), 16) == left * 10**6
    block = node.ethereum.call("eth_getBlockByNumber", hex(int(number)), True)
    assert (block["transactions"], block["gasUsed"]) == ([], "0x0")


def test_refused_payments(node: Node) -> None:
    """The node's codes and words reach the client, with status 200."""
    assert node.pay(payment(4, nonce=2))["message"] == "Expected Nonce: 1"
    poor = node.pay(payment(4, amount_qa=10**17))
    assert (poor["code"], poor["message"]) == (-8, "Insufficient funds in source account!")
    scilla = payment(4, data=b"{}")
    refused = node.pay(scilla)
    assert refused["message"] == "Unable to verify transaction"


def test_a_body_that_asks_for_nothing(node: Node) -> None:
    """The only error with a status of its own."""
    status, answer = node.post({"id": 1})
    assert (status, answer["error"]["message"]) == (400, "RPC method missing")
    status, answers = node.post([{"id": at, "method": "GetNetworkId"} for at in (1, 2)])
    assert (status, [each["result"] for each in answers]) == (200, ["222", "222"])


def test_a_rollback_returns_payments(node: Node) -> None:
    """An undone payment waits for the next block, where it is found under its id again."""
    sent = payment(5)
    node.pay(sent)
    node.ethereum.call("anvil_rollback", 1)
    assert node.ask("GetTransaction", sent.id.hex())["message"] == "Txn Hash not Present"
    node.ethereum.call("evm_mine")
    assert node.ask("GetTransaction", sent.id.hex())["ID"] == sent.id.hex()
    snapshot = node.ethereum.call("evm_snapshot")
    after = node.ask("GetBalance", zilliqa_address(5).hex())
    node.pay(payment(5, nonce=2))
    assert node.ethereum.call("evm_revert", snapshot) is True
    assert node.ask("GetBalance", zilliqa_address(5).hex()) == after


def test_payments_outlive_the_server(tmp_path: Path) -> None:
    """Blocks with payments, and payments that wait, are kept in the data directory."""
    options = ("--data-dir", str(tmp_path), "--no-mining")
    mined, waiting = payment(0), payment(0, nonce=2)
    with Node(*options) as node:
        node.pay(mined)
        node.ethereum.call("evm_mine")
        node.pay(waiting)
    with Node(*options) as node:
        assert node.ask("GetTransaction", mined.id.hex())["nonce"] == "1"
        node.ethereum.call("evm_mine")
        assert node.ask("GetTransaction", waiting.id.hex())["nonce"] == "2"


def call_of(node: Node, contract: str) -> Any:
    """Let the contract tell of a value and return what the receipt shows of it."""
    data = selector("set(uint256)") + f"{7:064x}"
    fields = {"from": ADDRESSES[2], "to": contract, "gas": hex(100_000), "data": data}
    sent = node.ethereum.call("eth_sendTransaction", fields)
    (event,) = node.ask("GetTransaction", sent)["receipt"]["event_logs"]
    return event


def events_of(contract: str) -> Any:
    """Return the event as it is shown by name."""
    who = ADDRESSES[2].lower()
    return {
        "_eventname": "Set",
        "address": contract.lower(),
        "params": [
            {"type": "ByStr20", "value": who, "vname": "who"},
            {"type": "Uint256", "value": "7", "vname": "value"},
        ],
    }


def deploy(node: Node) -> str:
    """Deploy the contract and return its address."""
    sent = node.ethereum.call("eth_sendTransaction", {"from": ADDRESSES[0], "data": BYTECODE})
    address: str = node.ethereum.call("eth_getTransactionReceipt", sent)["contractAddress"]
    assert node.ask("GetContractAddressFromTransactionID", sent) == address[2:].lower()
    assert node.ask("GetSmartContractCode", address)["type"] == "evm"
    return address


def test_an_abi_is_registered(node: Node) -> None:
    """From then on events are shown by name, in receipts and to those who watch."""
    contract = deploy(node)
    assert call_of(node, contract)["_eventname"].startswith("0x")
    assert node.ethereum.call("chainws_registerAbi", contract, ABI) is True
    wire = Wire(node.port)
    query = orjson.dumps({"query": "EventLog", "addresses": [contract.lower()]})
    wire.send(query)
    assert wire.receive() == query
    assert call_of(node, contract) == events_of(contract)
    ((item,),) = [orjson.loads(wire.receive())["values"]]
    wire.close()
    (entry,) = item["value"]
    assert entry["address"] == contract[2:].lower()
    assert entry["event_logs"][0]["_eventname"] == "Set"


def test_abis_come_from_files(tmp_path: Path) -> None:
    """A file names the events of a contract before anybody can ask for it."""
    with Node() as node:
        contract = deploy(node)
    file = tmp_path / "contract.json"
    file.write_bytes(orjson.dumps({"abi": ABI}))
    with Node("--abi", f"{contract}={file}") as node:
        assert deploy(node) == contract
        assert call_of(node, contract) == events_of(contract)
