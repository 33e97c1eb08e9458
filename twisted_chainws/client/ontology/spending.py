"""Transactions: made, priced, signed, sent, and waited for.

Source: ``ontology.md`` 4.10, 4.19, 5.4, 7.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from twisted_chainws.client.errors import BadAnswer, Misuse
from twisted_chainws.client.ontology.actions import Actions
from twisted_chainws.client.ontology.answers import (
    MerkleProof,
    PreExecution,
    decode_pre_execution,
)
from twisted_chainws.client.ontology.calls import SEND
from twisted_chainws.client.ontology.confirming import Confirmations
from twisted_chainws.client.ontology.invocations import (
    GAS_LIMIT,
    Invocation,
    approve,
    claim_ong,
    raw_of,
    shown_hash,
    sign,
    transfer,
    transfer_from,
)
from twisted_chainws.client.ontology.keys import Key, hash_of, key_of
from twisted_chainws.client.ontology.values import Notify, decode_hash
from twisted_chainws.client.promise import promise
from twisted_chainws.dialects.ontology.address import decode_hash as decode_reversed_hash
from twisted_chainws.dialects.ontology.merkle import transactions_root
from twisted_chainws.dialects.ontology.transaction import AnyTransaction, Transaction
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["CONFIRMATION_S", "Spending"]

CONFIRMATION_S = 60.0
"""Seconds for which a transaction is waited for, unless somebody says otherwise."""

_NONCE_BITS = 32


class Spending(Actions):
    """What changes a chain.

    All of it must be called on the reactor's thread. ``options`` are those of ``sign``: ``nonce``,
    by default a random one; ``gas_price``, by default that of the last blocks; ``gas_limit``;
    ``payer``.
    """

    def _prepare(self, confirmations: Confirmations, random_bits: Callable[[int], int]) -> None:
        self._confirmations = confirmations
        self._random_bits = random_bits

    @abstractmethod
    def _not_usable(self) -> Exception | None:
        """Return why nothing can be asked, None if it can."""

    # Sending

    def send_raw(self, transaction: AnyTransaction | bytes) -> Outcome[str]:
        """Send a transaction; it is never sent again.

        Returns:
            Its hash, as soon as the node has checked it: it waits for a block. Fails with
            RpcError, RequestTimeout, ConnectionLost, BadAnswer, Misuse or ClientClosed.
        """
        return self._read(decode_hash, SEND, lambda: {"Data": raw_of(transaction).hex()})

    def pre_execute(self, transaction: AnyTransaction | bytes) -> Outcome[PreExecution]:
        """Ask what a transaction would do; signatures do not matter, only whose they would be."""
        return self._read(
            decode_pre_execution,
            SEND,
            lambda: {"Data": raw_of(transaction).hex(), "PreExec": "1"},
        )

    def send_and_wait(
        self, transaction: AnyTransaction | bytes, *, wait_s: float = CONFIRMATION_S
    ) -> Outcome[Notify]:
        """Send a transaction, and wait until it is in the chain.

        When the connection is lost it goes on over the next one; if the node has not got the
        transaction it is sent again, which cannot do a thing twice.

        Returns:
            What it did; look at ``succeeded``. Fails as ``send_raw`` does, with RequestTimeout when
            nothing was heard of it for that long.
        """
        try:
            name = shown_hash(transaction)
        except Misuse as error:
            return failed(error)
        return self._waiting(name, raw_of(transaction), wait_s)

    def confirm(self, tx_hash: str, *, wait_s: float = CONFIRMATION_S) -> Outcome[Notify]:
        """Wait until a transaction that was sent by whomever is in the chain."""
        try:
            return self._waiting(hash_of(tx_hash), None, wait_s)
        except Misuse as error:
            return failed(error)

    # Tokens

    def transfer(
        self,
        asset: str,
        key: Key | bytes,
        to: str | bytes,
        amount: int,
        *,
        scaled: bool = False,
        **options: Any,
    ) -> Outcome[str]:
        """Move ONT or ONG.

        Args:
            asset: ``ont`` or ``ong``.
            key: of the owner.
            to: who gets it.
            amount: whole units, 1 ONT or 10^-9 ONG.
            scaled: the amount is in scaled ones, 10^-9 ONT or 10^-18 ONG.
            options: see above.

        Returns:
            The hash of the transaction; fails as ``send_raw`` does. Likewise below.
        """
        return self._sent(lambda: transfer(asset, key, to, amount, scaled=scaled), options)

    def approve(
        self,
        asset: str,
        key: Key | bytes,
        spender: str | bytes,
        amount: int,
        *,
        scaled: bool = False,
        **options: Any,
    ) -> Outcome[str]:
        """Let somebody move ONT or ONG of the key's owner, so much and no more from now on."""
        return self._sent(lambda: approve(asset, key, spender, amount, scaled=scaled), options)

    def transfer_from(
        self,
        asset: str,
        key: Key | bytes,
        owner: str | bytes,
        to: str | bytes,
        amount: int,
        *,
        scaled: bool = False,
        **options: Any,
    ) -> Outcome[str]:
        """Move ONT or ONG of an owner who has approved it; the key is the spender's."""
        return self._sent(
            lambda: transfer_from(asset, key, owner, to, amount, scaled=scaled), options
        )

    def claim_ong(
        self,
        key: Key | bytes,
        amount: int | None = None,
        *,
        to: str | bytes | None = None,
        **options: Any,
    ) -> Outcome[str]:
        """Take ONG that was released for holding ONT.

        Args:
            key: of the holder.
            amount: 10^-9 ONG, None for all there is; then Misuse if there is none.
            to: who gets it, None for the holder.
            options: see above.
        """
        return promise(self._claim(key, amount, to, options))

    def sign(self, invocation: Invocation, **options: Any) -> Outcome[Transaction]:
        """Make a transaction of a call and sign it; what ``options`` do not say is asked for."""
        return promise(self._sign(invocation, options))

    # Proofs

    def prove(self, tx_hash: str) -> Outcome[MerkleProof]:
        """Prove that a transaction belongs to the chain.

        What is checked: its hash leads to the root of its block's transactions, that root to the
        root of all blocks, and that is in the block that the node has at that height now.

        Returns:
            The proof. Fails with BadAnswer if something of that is not so.
        """
        return promise(self._prove(tx_hash))

    # Ours

    def _waiting(self, name: str, raw: bytes | None, wait_s: float) -> Outcome[Notify]:
        ended = self._not_usable()
        if ended is not None:
            return failed(ended)
        return promise(self._confirmations.wait(name, raw, wait_s))

    def _sent(self, make: Callable[[], Invocation], options: dict[str, Any]) -> Outcome[str]:
        try:
            return promise(self._send(make(), options))
        except Misuse as error:
            return failed(error)

    async def _send(self, invocation: Invocation, options: dict[str, Any]) -> str:
        transaction = await self._sign(invocation, options)
        name = await self.send_raw(transaction)
        if name != shown_hash(transaction):
            raise BadAnswer("the hash of another transaction")
        return name

    async def _sign(self, invocation: Invocation, options: dict[str, Any]) -> Transaction:
        settled = {"gas_limit": GAS_LIMIT, "payer": None} | options
        if settled.get("nonce") is None:
            settled["nonce"] = self._random_bits(_NONCE_BITS)
        if settled.get("gas_price") is None:
            settled["gas_price"] = (await self.get_gas_price()).price
        return sign(invocation, **settled)

    async def _claim(
        self,
        key: Key | bytes,
        amount: int | None,
        to: str | bytes | None,
        options: dict[str, Any],
    ) -> str:
        holder = key_of(key)
        if amount is None:
            amount = await self.get_unbound_ong(holder.address)
            if not amount:
                raise Misuse("there is no ONG to claim")
        return await self._send(claim_ong(holder, amount, to), options)

    async def _prove(self, tx_hash: str) -> MerkleProof:
        name = hash_of(tx_hash)
        proof = await self.get_merkle_proof(name)
        block = await self.get_block(proof.number)
        last = await self.get_block(proof.last_number)
        hashes = [decode_reversed_hash(one) for one in block.transactions]
        if name not in block.transactions:
            raise BadAnswer("the proof is of a block without the transaction")
        if transactions_root(hashes)[::-1].hex() != proof.transactions_root:
            raise BadAnswer("the proof is of other transactions than those of the block")
        if proof.root != last.block_root:
            raise BadAnswer("the proof is of another chain")
        if not proof.is_right:
            raise BadAnswer("the proof is wrong")
        return proof
