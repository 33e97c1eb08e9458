"""What an application does with ontology-python-sdk 2.0.6, unmodified: ask, follow, pay, verify.

Called with the URL of an Ontology listener, the secret of a key that owns both tokens and the
address of an account that owns nothing; prints one JSON object.
"""

import asyncio
import inspect
import json
import sys
from collections.abc import Coroutine
from typing import Any

from ontology.account.account import Account
from ontology.contract.native.ong import Ong
from ontology.contract.native.ont import Ont
from ontology.contract.neo.invoke_function import InvokeFunction
from ontology.contract.neo.vm import NeoVm
from ontology.exception.exception import SDKException
from ontology.merkle.merkle_verifier import MerkleVerifier
from ontology.network.websocket import Websocket

PRICE, LIMIT = 2500, 20_000
ONT, ONG = Ont(None), Ong(None)
ONT_HEX = ONT.contract_address.hex()
STRANGER = "ab" * 20
BROKEN = "send_neo_vm_tx_pre_exec"
"""Fails before it sends anything: it hands bytes to a function that wants a function's record."""


class Recording:
    """Passes calls on and remembers their names.

    Attributes:
        used: names of methods.
    """

    def __init__(self, websocket: Websocket) -> None:
        self._websocket = websocket
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.used.add(name)
        return getattr(self._websocket, name)


def signed(transaction: Any, *accounts: Account) -> Any:
    """Let each account sign."""
    first, *others = accounts
    transaction.sign_transaction(first)
    for account in others:
        transaction.add_sign_transaction(account)
    return transaction


async def refused(coroutine: Coroutine[Any, Any, Any]) -> str | None:
    """Return the text of the error that a call ends with."""
    try:
        await coroutine
    except SDKException as error:
        return str(error.args[1])
    return None


async def pay(calls: Recording, token: Any, payer: Account, payee: str, amount: int) -> Any:
    """Transfer, and read the confirmation: what comes next is taken for the next answer."""
    owner = payer.get_address_base58()
    transaction = token.new_transfer_tx(owner, payee, amount, owner, PRICE, LIMIT)
    sent = await calls.send_raw_transaction(signed(transaction, payer))
    confirmed = await calls.recv_subscribe_info(is_full=True)
    return {"hash": transaction.hash256_explorer(), "sent": sent, "confirmed": confirmed}


async def getters(calls: Recording, payer: Account, paid: Any) -> Any:
    """Ask everything that there is to ask of a payment and its block."""
    owner, hash_ = payer.get_address_base58(), paid["sent"]
    height = await calls.get_block_height_by_tx_hash(hash_)
    block_hash = await calls.get_block_hash_by_height(height)
    return {
        "connections": await calls.get_connection_count(),
        "sessions": await calls.get_session_count(),
        "tip": await calls.get_block_height(),
        "height": height,
        "block hash": block_hash,
        "block": await calls.get_block_by_height(height),
        "same block": await calls.get_block_by_hash(block_hash),
        "event": await calls.get_contract_event_by_tx_hash(hash_),
        "events": await calls.get_contract_event_by_height(height),
        "storage": await calls.get_storage(ONT_HEX, payer.get_address_bytes().hex()),
        "contract": await calls.get_contract(ONT_HEX),
        "unbound": await calls.get_unbound_ong(owner),
        "balance": await calls.get_balance(owner),
    }


async def proof(calls: Recording, hash_: str) -> Any:
    """Verify the place of a block below the newest one with the verifier of the SDK."""
    found = await calls.get_merkle_proof(hash_)
    steps = MerkleVerifier.get_proof(
        found["BlockHeight"], found["TargetHashes"], found["CurBlockHeight"]
    )
    tip = await calls.get_block_by_height(found["CurBlockHeight"])
    arguments = steps, found["TransactionsRoot"], found["CurBlockRoot"]
    wrong = steps, found["CurBlockRoot"], found["TransactionsRoot"]
    return {
        "steps": len(steps),
        "accepted": MerkleVerifier.validate_proof(*arguments, is_big_endian=True),
        "wrong": MerkleVerifier.validate_proof(*wrong, is_big_endian=True),
        "root": found["CurBlockRoot"],
        "root of the tip": tip["Header"]["BlockRoot"],
    }


async def pre_executions(calls: Recording, payer: Account, payee: str) -> Any:
    """Look without paying: constants, balances, a payment, and what has to be refused."""
    owner = payer.get_address_base58()
    transfer = ONT.new_transfer_tx(owner, payee, 1, owner, PRICE, LIMIT)
    greet = InvokeFunction("hello", [b"world"])
    called = signed(NeoVm.make_invoke_transaction(STRANGER, greet, owner, PRICE, LIMIT), payer)
    return {
        "name": await calls.send_raw_transaction_pre_exec(ONT.new_name_tx()),
        "decimals": await calls.send_raw_transaction_pre_exec(ONG.new_decimals_tx()),
        "balance": await calls.send_raw_transaction_pre_exec(ONT.new_balance_of_tx(payee)),
        "unsigned": await refused(calls.send_raw_transaction_pre_exec(transfer)),
        "transfer": await calls.send_raw_transaction_pre_exec(signed(transfer, payer)),
        "contract": await refused(calls.send_raw_transaction_pre_exec(called)),
        "sent contract": await refused(
            calls.send_neo_vm_transaction(STRANGER, payer, payer, PRICE, LIMIT, greet)
        ),
    }


async def allowances(calls: Recording, payer: Account, friend: Account, payee: str) -> Any:
    """Let a friend spend: approve, spend, see what is left."""
    owner, spender = payer.get_address_base58(), friend.get_address_base58()
    approval = ONG.new_approve_tx(owner, spender, 700, owner, PRICE, LIMIT)
    spending = ONG.new_transfer_from_tx(spender, owner, payee, 500, spender, PRICE, LIMIT)
    for transaction, signer in ((approval, payer), (spending, friend)):
        await calls.send_raw_transaction(signed(transaction, signer))
        await calls.recv_subscribe_info()
    asked = ONG.new_allowance_tx(owner, spender)
    return (await calls.send_raw_transaction_pre_exec(asked))["Result"]


async def main(url: str, *secrets_and_payee: str) -> None:
    """Do all of it; a second connection follows the chain."""
    *secrets, payee = secrets_and_payee
    payer, friend = (Account(secret) for secret in secrets)
    owner = payer.get_address_base58()
    following, calls = Recording(Websocket(url)), Recording(Websocket(url))
    report = {"owner": owner, "heartbeat": await calls.send_heartbeat()}
    report["topics"] = await following.subscribe(ONT_HEX, True, True, True, True)
    report["following"] = await following.send_heartbeat(is_full=True)
    report["before"] = [await calls.get_balance(each) for each in (owner, payee)]
    report["ont"] = await pay(calls, ONT, payer, payee, 7)
    report["pushes"] = [await following.recv_subscribe_info(is_full=True) for _ in range(4)]
    report["getters"] = await getters(calls, payer, report["ont"])
    # Filtered by the contract of ONT, the fees and payments of ONG are not told.
    report["ong"] = await pay(calls, ONG, payer, payee, 1_500_000_000)
    report["blocks"] = [await following.recv_subscribe_info(is_full=True) for _ in range(3)]
    report["after"] = [await calls.get_balance(each) for each in (owner, payee)]
    report["proof"] = await proof(calls, report["ont"]["sent"])
    report["pre-execution"] = await pre_executions(calls, payer, payee)
    report["left"] = await allowances(calls, payer, friend, payee)
    report["unknown"] = await refused(calls.get_block_height_by_tx_hash("00" * 32))
    offered = {name for name, _ in inspect.getmembers(Websocket, inspect.iscoroutinefunction)}
    offered = {name for name in offered if not name.startswith("_")}
    for connection in (calls, following):
        await connection.close_connect()
    report["unused"] = sorted(offered - calls.used - following.used - {"connect", BROKEN})
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
