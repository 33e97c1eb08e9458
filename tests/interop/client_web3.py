"""web3.py, unmodified, against the server whose URL is the first argument.

Prints one JSON line per check, as the JavaScript clients do.
"""

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3, WebSocketProvider
from web3.exceptions import (
    ContractCustomError,
    ContractLogicError,
    ContractPanicError,
    Web3RPCError,
)
from websockets.exceptions import ConnectionClosed

LIMIT_S: Final = 30
CONTRACT: Final = json.loads((Path(__file__).parent / "contract.json").read_text())
ALICE: Final = Account.from_key(
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
)
BOB: Final = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

Check = Callable[["Client"], Awaitable[None]]
CHECKS: dict[str, Check] = {}
LIVE_CHECKS: Final = frozenset(
    {"follows subscriptions", "sees a reorganisation undo a log and repeat a height"}
)


def check(name: str) -> Callable[[Check], Check]:
    """Register a check under the sentence that the report shows."""

    def register(body: Check) -> Check:
        CHECKS[name] = body
        return body

    return register


class Client:
    """The library and what the checks share."""

    def __init__(self, web3: Any) -> None:
        self.web3 = web3
        self.eth = web3.eth
        self.contract: Any = None

    async def send(self, **fields: Any) -> Any:
        """Sign as Alice, send, and return the receipt."""
        transaction = {
            "from": ALICE.address,
            "chainId": 31337,
            "nonce": await self.eth.get_transaction_count(ALICE.address, "pending"),
            "value": 0,
            **fields,
        }
        if "gasPrice" not in transaction:
            transaction.setdefault("maxFeePerGas", 10**11)
            transaction.setdefault("maxPriorityFeePerGas", 10**9)
        if "gas" not in transaction:
            transaction["gas"] = await self.eth.estimate_gas(transaction)
        signed = ALICE.sign_transaction({k: v for k, v in transaction.items() if k != "from"})
        sent = await self.eth.send_raw_transaction(signed.raw_transaction)
        return await self.eth.wait_for_transaction_receipt(sent, timeout=10, poll_latency=0.05)

    async def set(self, value: int) -> Any:
        """Call the contract's ``set`` and return the receipt."""
        data = self.contract.encode_abi("set", args=[value])
        return await self.send(to=self.contract.address, data=data)

    async def ask(self, method: str, *params: Any) -> Any:
        """Send a request that the library has no name for."""
        answer = await self.web3.provider.make_request(method, list(params))
        if "error" in answer:
            raise RuntimeError(str(answer["error"]))
        return answer["result"]


@check("reads the chain")
async def reads(client: Client) -> None:
    """Ask for the usual values."""
    assert await client.web3.is_connected()
    assert await client.eth.chain_id == 31337
    assert await client.eth.block_number >= 0
    block = await client.eth.get_block("latest", full_transactions=True)
    assert (await client.eth.get_block(block["hash"]))["number"] == block["number"]
    assert await client.eth.get_balance(BOB) > 10**20
    assert await client.eth.get_code(BOB) == b""
    assert (await client.eth.accounts)[1] == BOB
    assert await client.eth.syncing is False
    assert "chainws" in (await client.web3.client_version).lower()


@check("estimates fees")
async def fees(client: Client) -> None:
    """Ask for prices and their history."""
    assert await client.eth.gas_price > 0
    assert await client.eth.max_priority_fee >= 0
    history = await client.eth.fee_history(4, "latest", [25, 75])
    assert len(history["baseFeePerGas"]) >= 2


@check("deploys a contract")
async def deploys(client: Client) -> None:
    """Create the contract with a signed transaction."""
    receipt = await client.send(data=CONTRACT["bytecode"])
    assert receipt["status"] == 1
    client.contract = client.eth.contract(address=receipt["contractAddress"], abi=CONTRACT["abi"])
    assert len(await client.eth.get_code(client.contract.address)) > 100


@check("sends signed transactions of each type")
async def sends(client: Client) -> None:
    """Transfer with a legacy, an access-list and a dynamic-fee transaction."""
    price = {"gasPrice": 10**11}
    for kind, fields in ((0, price), (1, {**price, "accessList": [], "type": 1}), (2, {})):
        before = await client.eth.get_balance(BOB)
        receipt = await client.send(to=BOB, value=7, **fields)
        assert (receipt["status"], receipt["type"]) == (1, kind)
        mined = await client.eth.get_transaction(receipt["transactionHash"])
        assert mined["blockHash"] == receipt["blockHash"]
        assert await client.eth.get_balance(BOB) - before == 7


@check("sends from an unlocked account")
async def unlocked(client: Client) -> None:
    """Let the node sign."""
    sent = await client.eth.send_transaction({"from": BOB, "to": ALICE.address, "value": 1})
    receipt = await client.eth.wait_for_transaction_receipt(sent, timeout=10)
    assert receipt["from"] == BOB
    await client.eth.sign(BOB, text="hello")


@check("writes and reads storage")
async def storage(client: Client) -> None:
    """Store a value, read it back by call, slot and log."""
    receipt = await client.set(41)
    (event,) = client.contract.events.Set().process_receipt(receipt)
    assert (event["args"]["who"], event["args"]["value"]) == (ALICE.address, 41)
    assert await client.contract.functions.get().call() == 41
    slot = await client.eth.get_storage_at(client.contract.address, 0)
    assert int.from_bytes(slot, "big") == 41
    logs = await client.contract.events.Set().get_logs(from_block=0)
    assert logs[-1]["args"]["value"] == 41
    past = receipt["blockNumber"] - 1
    assert await client.contract.functions.get().call(block_identifier=past) == 0


@check("explains reverts")
async def reverts(client: Client) -> None:
    """Turn revert data into the library's exceptions."""
    functions = client.contract.functions
    for call, expected, text in (
        (functions.fail(), ContractLogicError, "boom"),
        (functions.deny(5), ContractCustomError, "0x7e46dab6"),
        (functions.panic(), ContractPanicError, "0x11"),
    ):
        try:
            await call.call()
        except expected as error:
            known = f"{error} {getattr(error, 'data', '')}".lower()
            assert text in known or expected is ContractPanicError, known
        else:
            raise AssertionError(f"{call} did not fail")


@check("mines a reverting transaction")
async def mined_revert(client: Client) -> None:
    """See status 0 in the receipt."""
    data = client.contract.encode_abi("fail")
    receipt = await client.send(to=client.contract.address, data=data, gas=100_000)
    assert receipt["status"] == 0


@check("recognises refused transactions")
async def refused(client: Client) -> None:
    """Get geth's words for a low nonce and for an empty account."""
    fields = {"to": BOB, "gas": 21000, "gasPrice": 10**11, "chainId": 31337, "value": 1}
    poor = Account.from_key("0x" + "11" * 32)
    for account, words in ((ALICE, "nonce too low"), (poor, "insufficient funds for gas")):
        signed = account.sign_transaction({**fields, "nonce": 0})
        try:
            await client.eth.send_raw_transaction(signed.raw_transaction)
            said = "nothing"
        except Web3RPCError as error:
            said = str(error)
        assert words in said, said


@check("sends a batch")
async def batch(client: Client) -> None:
    """Ask several things in one message."""
    async with client.web3.batch_requests() as requests:
        requests.add(client.eth.get_block("latest"))
        requests.add(client.eth.get_balance(BOB))
        requests.add(client.contract.functions.get())
        block, balance, value = await requests.async_execute()
    assert block["number"] > 0
    assert balance > 0
    assert value == 41


@check("uses filters")
async def filters(client: Client) -> None:
    """Poll a log filter and a block filter."""
    logs = await client.contract.events.Set().create_filter(from_block="latest")
    blocks = await client.eth.filter("latest")
    receipt = await client.set(44)
    assert [event["args"]["value"] for event in await logs.get_new_entries()] == [44]
    assert receipt["blockHash"] in await blocks.get_new_entries()


@check("traces what ran")
async def traces(client: Client) -> None:
    """Use the debug module of the library for a transaction, the protocol itself for the rest."""
    receipt = await client.set(45)
    trace = client.web3.geth.debug.trace_transaction
    steps = await trace(receipt["transactionHash"])
    assert (steps["gas"], steps["failed"]) == (receipt["gasUsed"], False)
    assert "SSTORE" in {step["op"] for step in steps["structLogs"]}
    tree = await trace(receipt["transactionHash"], {"tracer": "callTracer"})
    assert (tree["type"], tree["from"].lower()) == ("CALL", ALICE.address.lower())
    before = await trace(receipt["transactionHash"], {"tracer": "prestateTracer"})
    assert isinstance(before[ALICE.address]["balance"], int)
    diff = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}
    assert {"pre", "post"} == set(await trace(receipt["transactionHash"], diff))
    block = await client.ask("debug_traceBlockByNumber", hex(receipt["blockNumber"]))
    assert len(block) == 1
    call = {"to": client.contract.address, "data": client.contract.encode_abi("get")}
    answer = await client.ask("debug_traceCall", call, "latest", {"tracer": "callTracer"})
    assert int(answer["output"], 16) == 45
    try:
        await trace("0x" + "77" * 32)
        said = "nothing"
    except Web3RPCError as error:
        said = str(error)
    assert "transaction not found" in said, said


@check("controls the node")
async def controls(client: Client) -> None:
    """Snapshot, change a balance, jump in time, and go back."""
    identifier = await client.ask("evm_snapshot")
    await client.ask("anvil_setBalance", BOB, "0x5")
    assert await client.eth.get_balance(BOB) == 5
    before = (await client.eth.get_block("latest"))["timestamp"]
    # Blocks made in quick succession run ahead of the clock, a second each.
    await client.ask("evm_increaseTime", 1000)
    await client.ask("evm_mine")
    assert (await client.eth.get_block("latest"))["timestamp"] - before >= 900
    assert await client.ask("evm_revert", identifier) is True
    assert await client.eth.get_balance(BOB) > 10**20


async def _next(client: Client, **subscriptions: Any) -> dict[str, Any]:
    """Return what each of the named subscriptions says next."""
    names = {identifier: name for name, identifier in subscriptions.items()}
    seen: dict[str, Any] = {}
    async for message in client.web3.socket.process_subscriptions():
        name = names.get(message["subscription"])
        if name is not None:
            seen.setdefault(name, message["result"])
        if len(seen) == len(names):
            return seen
    raise AssertionError("the stream ended")


@check("follows subscriptions")
async def subscriptions(client: Client) -> None:
    """Receive a pending hash, a head and a log of one transaction."""
    heads = await client.eth.subscribe("newHeads")
    pending = await client.eth.subscribe("newPendingTransactions")
    logs = await client.eth.subscribe("logs", {"address": client.contract.address})
    receipt = await client.set(45)
    seen = await _next(client, heads=heads, pending=pending, logs=logs)
    assert seen["heads"]["number"] == receipt["blockNumber"]
    assert seen["pending"] == receipt["transactionHash"]
    assert seen["logs"]["transactionHash"] == receipt["transactionHash"]
    for subscription in (heads, pending, logs):
        assert await client.eth.unsubscribe(subscription)


@check("sees a reorganisation undo a log and repeat a height")
async def reorganisation(client: Client) -> None:
    """Receive the log again, marked as removed, and another head of the same number."""
    heads = await client.eth.subscribe("newHeads")
    logs = await client.eth.subscribe("logs", {"address": client.contract.address})
    receipt = await client.set(46)
    old = await _next(client, heads=heads, logs=logs)
    assert old["logs"]["removed"] is False
    await client.ask("anvil_reorg", 1, [])
    new = await _next(client, heads=heads, logs=logs)
    assert (new["logs"]["removed"], new["logs"]["blockHash"]) == (True, receipt["blockHash"])
    assert new["heads"]["number"] == old["heads"]["number"] == receipt["blockNumber"]
    assert new["heads"]["parentHash"] == old["heads"]["parentHash"]
    assert new["heads"]["hash"] != old["heads"]["hash"]
    for subscription in (heads, logs):
        await client.eth.unsubscribe(subscription)


async def _ask(verb: str) -> Any:
    """Ask the tests for something that a client cannot do; see ``ask`` in ``checks.mjs``."""
    sys.stdout.write(json.dumps({"ask": verb}) + "\n")
    sys.stdout.flush()
    return json.loads(await asyncio.to_thread(sys.stdin.readline))["answer"]


async def restarted(url: str, contract: Any) -> None:
    """Follow logs, lose the server, and go on in the next turn of the library's own loop."""
    turns = 0
    since = 0
    async for web3 in AsyncWeb3(WebSocketProvider(url)):
        turns += 1
        client = Client(web3)
        client.contract = web3.eth.contract(address=contract.address, abi=CONTRACT["abi"])
        heads = await client.eth.subscribe("newHeads")
        logs = await client.eth.subscribe("logs", {"address": contract.address})
        if turns == 2:
            break
        receipt = await client.set(47)
        since = receipt["blockNumber"] + 1
        assert (await _next(client, heads=heads))["heads"]["number"] == receipt["blockNumber"]
        away = await _ask("away")
        try:
            async for _ in web3.socket.process_subscriptions():
                pass
        except ConnectionClosed:
            await _meanwhile(away, contract)
            await _ask("back")
    missed = await client.contract.events.Set().get_logs(from_block=since)
    assert [event["args"]["value"] for event in missed] == [48]
    receipt = await client.set(49)
    seen = await _next(client, heads=heads, logs=logs)
    assert seen["heads"]["number"] == receipt["blockNumber"] == since + 1
    assert seen["logs"]["transactionHash"] == receipt["transactionHash"]
    await client.web3.provider.disconnect()


async def _meanwhile(url: str, contract: Any) -> None:
    """Let something happen that the client cannot see."""
    provider = AsyncHTTPProvider(url)
    data = contract.encode_abi("set", args=[48])
    fields = {"from": ALICE.address, "to": contract.address, "data": data}
    await AsyncWeb3(provider).eth.send_transaction(fields)
    await provider.disconnect()


async def tell(name: str, body: Awaitable[None], limit_s: float = LIMIT_S) -> None:
    """Run one check and print how it went."""
    line: dict[str, Any] = {"name": name, "ok": True}
    try:
        await asyncio.wait_for(body, limit_s)
    except Exception:  # noqa: BLE001 - the report is for whoever reads the test's failure
        line |= {"ok": False, "detail": traceback.format_exc()}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def run(client: Client, *, live: bool) -> None:
    """Run every check and print the report."""
    for name, body in CHECKS.items():
        if live or name not in LIVE_CHECKS:
            await tell(name, body(client))


async def main(url: str) -> None:
    """Connect as the URL says and run."""
    if url.startswith("ws"):
        async with AsyncWeb3(WebSocketProvider(url)) as web3:
            client = Client(web3)
            await run(client, live=True)
        name = "reconnects after the server was restarted and subscribes again"
        await tell(name, restarted(url, client.contract), 60)
        return
    provider = AsyncHTTPProvider(url)
    await run(Client(AsyncWeb3(provider)), live=False)
    await provider.disconnect()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
