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

LIMIT_S: Final = 30
CONTRACT: Final = json.loads((Path(__file__).parent / "contract.json").read_text())
ALICE: Final = Account.from_key(
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
)
BOB: Final = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

Check = Callable[["Client"], Awaitable[None]]
CHECKS: dict[str, Check] = {}
LIVE_CHECKS: Final = frozenset({"follows subscriptions", "sees a reorganisation undo a log"})


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


async def _event(client: Client, subscription: Any) -> Any:
    async for message in client.web3.socket.process_subscriptions():
        if message["subscription"] == subscription:
            return message["result"]
    raise AssertionError("the stream ended")


@check("follows subscriptions")
async def subscriptions(client: Client) -> None:
    """Receive a pending hash, a head and a log of one transaction."""
    heads = await client.eth.subscribe("newHeads")
    pending = await client.eth.subscribe("newPendingTransactions")
    logs = await client.eth.subscribe("logs", {"address": client.contract.address})
    receipt = await client.set(45)
    wanted = {heads, pending, logs}
    seen: dict[Any, Any] = {}
    async for message in client.web3.socket.process_subscriptions():
        seen.setdefault(message["subscription"], message["result"])
        if wanted <= seen.keys():
            break
    assert seen[heads]["number"] == receipt["blockNumber"]
    assert seen[pending] == receipt["transactionHash"]
    assert seen[logs]["transactionHash"] == receipt["transactionHash"]
    for subscription in wanted:
        assert await client.eth.unsubscribe(subscription)


@check("sees a reorganisation undo a log")
async def reorganisation(client: Client) -> None:
    """Receive the log again, marked as removed."""
    logs = await client.eth.subscribe("logs", {"address": client.contract.address})
    receipt = await client.set(46)
    assert (await _event(client, logs))["removed"] is False
    await client.ask("anvil_reorg", 1, [])
    gone = await _event(client, logs)
    assert (gone["removed"], gone["blockHash"]) == (True, receipt["blockHash"])
    await client.eth.unsubscribe(logs)


async def run(client: Client, *, live: bool) -> None:
    """Run every check and print the report."""
    for name, body in CHECKS.items():
        if name in LIVE_CHECKS and not live:
            continue
        line: dict[str, Any] = {"name": name, "ok": True}
        try:
            await asyncio.wait_for(body(client), LIMIT_S)
        except Exception:  # noqa: BLE001 - the report is for whoever reads the test's failure
            line |= {"ok": False, "detail": traceback.format_exc()}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


async def main(url: str) -> None:
    """Connect as the URL says and run."""
    if url.startswith("ws"):
        async with AsyncWeb3(WebSocketProvider(url)) as web3:
            await run(Client(web3), live=True)
        return
    provider = AsyncHTTPProvider(url)
    await run(Client(AsyncWeb3(provider)), live=False)
    await provider.disconnect()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
