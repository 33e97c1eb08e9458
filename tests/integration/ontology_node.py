"""A server that speaks Ontology, seen from outside: a connection that asks, and payments."""

import itertools
import json
from typing import Any, Final, Self

from tests.running import Running, free_port
from tests.wire import ANSWER_LIMIT_S, Wire
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT
from twisted_chainws.dialects.ontology.transaction import (
    Invoke,
    Transaction,
    TransactionType,
    encode_transaction,
    sign_transaction,
)
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS

ONT: Final = encode_reversed(ONT_CONTRACT)
ONG: Final = encode_reversed(ONG_CONTRACT)
ADDRESSES: Final = tuple(Address20(each.ontology_address) for each in WELL_KNOWN_ACCOUNTS)
OWNERS: Final = tuple(encode_base58(address) for address in ADDRESSES)
PAYEE: Final = Address20(b"\x77" * 20)
GOVERNANCE: Final = "AFmseVrdL9f9oyCzZefL9tG6UbviEH9ugK"
PRICE: Final = 2_500
FEE: Final = 20_000 * PRICE
"""Of a plain transfer, 10^-9 ONG."""

FLAGS: Final = (
    "SubscribeEvent", "SubscribeJsonBlock", "SubscribeRawBlock", "SubscribeBlockTxHashs",
)  # fmt: skip

_NONCES: Final = itertools.count(1)


class Speaker:
    """One connection.

    Attributes:
        pushes: what came that answers nothing, in its order.
    """

    def __init__(self, port: int, path: str = "/") -> None:
        self.wire = Wire(port, path)
        self.pushes: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.wire.close()

    def exchange(self, message: bytes, opcode: int = 1) -> Any:
        """Send a message and return the next one that is no push."""
        self.wire.send(message, opcode)
        return self.reply()

    def reply(self) -> Any:
        """Return the next message that is no push."""
        while True:
            message = json.loads(self.wire.receive())
            if not _is_push(message):
                return message
            self.pushes.append(message)

    def ask(self, action: str, **members: Any) -> Any:
        """Send a request and return its whole reply."""
        request = {"Action": action, "Version": "1.0.0", "Id": 7, **members}
        return self.exchange(json.dumps(request).encode())

    def get(self, action: str, **members: Any) -> Any:
        """Return the result of a request that has to succeed."""
        reply = self.ask(action, **members)
        assert (reply["Error"], reply["Desc"]) == (0, "SUCCESS"), reply
        return reply["Result"]

    def send(self, transaction: Transaction) -> str:
        """Send a transaction that has to be taken, and return its hash as it is shown."""
        result: str = self.get("sendrawtransaction", Data=encode_transaction(transaction).hex())
        assert result == encode_reversed(transaction.hash)
        return result

    def push(self, timeout_s: float = ANSWER_LIMIT_S) -> Any:
        """Return the next push."""
        if not self.pushes:
            message = json.loads(self.wire.receive(timeout_s))
            assert _is_push(message), message
            return message
        return self.pushes.pop(0)

    def settle(self) -> list[Any]:
        """Return all pushes so far; a request that is sent behind them marks the end."""
        self.get("getversion")
        found, self.pushes = self.pushes, []
        return found

    def follow(self, *flags: str, contracts: Any = None) -> Any:
        """Subscribe to these topics and no others."""
        filter_ = {} if contracts is None else {"ContractsFilter": contracts}
        return self.get("subscribe", **{flag: flag in flags for flag in FLAGS}, **filter_)


class Node:
    """A server with an Ethereum and an Ontology listener, and one connection to each."""

    def __init__(self, *options: str, port: int | None = None) -> None:
        self.port = free_port() if port is None else port
        listen = ("--listen", f"ontology=tcp:{self.port}")
        self.running = Running("--silent", *listen, *options)

    def __enter__(self) -> Self:
        self.running.__enter__()
        self.running.wait(self.port)
        self.ethereum = Wire(self.running.port)
        self._speakers: list[Speaker] = []
        self.ontology = self.speaker()
        return self

    def __exit__(self, *failure: object) -> None:
        for speaker in self._speakers:
            speaker.wire.close()
        self.ethereum.close()
        faults = self.running.faults()
        self.running.stop()
        # What failed in the test itself is told rather.
        assert failure[0] is not None or faults == []

    def speaker(self) -> Speaker:
        """Return a further connection to the Ontology listener, closed at the end if not before."""
        self._speakers.append(Speaker(self.port))
        return self._speakers[-1]

    def mine(self, blocks: int = 1) -> None:
        """Make blocks of what waits."""
        self.ethereum.call("anvil_mine", hex(blocks))


def sign(payer: int, call: bytes, *, nonce: int | None = None, price: int = PRICE) -> Transaction:
    """Sign a call of a native contract with the key of a well-known account, who pays for it."""
    fields: dict[str, Any] = {
        "type": TransactionType.INVOKE_NEO,
        "nonce": next(_NONCES) if nonce is None else nonce,
        "gas_price": price,
        "gas_limit": 20_000,
        "payer": ADDRESSES[payer],
        "payload": Invoke(code=call),
    }
    unsigned = Transaction(**fields, witnesses=())
    witness = sign_transaction(unsigned, WELL_KNOWN_ACCOUNTS[payer].ontology_key)
    return Transaction(**fields, witnesses=(witness,))


def transfer(
    payer: int,
    amount: int,
    contract: Address20 = ONT_CONTRACT,
    payee: Address20 = PAYEE,
    method: str = "transfer",
    **more: Any,
) -> Transaction:
    """Sign a transfer; the amount is in the units of the method."""
    entry = Struct([ADDRESSES[payer], payee, amount])
    return sign(payer, build_call(contract, method, Array([entry])), **more)


def approve(
    owner: int, spender: Address20, amount: int, contract: Address20 = ONT_CONTRACT, **more: Any
) -> Transaction:
    """Sign an approval."""
    fields: list[Value] = [ADDRESSES[owner], spender, amount]
    return sign(owner, build_call(contract, "approve", Struct(fields)), **more)


def transfer_from(
    spender: int,
    source: Address20,
    amount: int,
    contract: Address20 = ONT_CONTRACT,
    payee: Address20 = PAYEE,
    **more: Any,
) -> Transaction:
    """Sign a transfer that somebody has approved, or, of ONG from the contract of ONT, a claim."""
    fields: list[Value] = [ADDRESSES[spender], source, payee, amount]
    return sign(spender, build_call(contract, "transferFrom", Struct(fields)), **more)


def _is_push(message: Any) -> bool:
    return "Id" not in message and message["Error"] == 0
