"""Payments sent to a node, one after the other for each sender.

Source: ``zilliqa.md`` 5 (``GetBalance``, ``GetMinimumGasPrice``, ``CreateTransaction``).
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import DeferredLock

from twisted_chainws.client.errors import BadAnswer, RpcError
from twisted_chainws.client.zilliqa.payments import encode_request, sender_of, sign_payment
from twisted_chainws.client.zilliqa.values import decode_hash, number
from twisted_chainws.dialects.zilliqa.errors import NO_SUCH_ACCOUNT
from twisted_chainws.websocket import Outcome

__all__ = ["Payer"]


class Payer:
    """The payments of one client."""

    def __init__(self, call: Callable[..., Outcome[Any]]) -> None:
        """Prepare; ``call`` asks over HTTP."""
        self._call = call
        self._locks: defaultdict[str, DeferredLock] = defaultdict(DeferredLock)
        self._nonces: dict[str, int] = {}

    async def pay(
        self,
        secret: bytes,
        to: str | bytes,
        amount_qa: int,
        *,
        chain_id: int,
        nonce: int | None,
        gas_price_qa: int | None,
    ) -> str:
        """Pay; see ``ZilliqaClient.pay``."""
        sender = sender_of(secret)
        lock = self._locks[sender]
        await lock.acquire()
        try:
            if gas_price_qa is None:
                gas_price_qa = number(await self._call("GetMinimumGasPrice"))
            if nonce is None:
                nonce = await self._next_nonce(sender)
            payment = sign_payment(
                secret,
                to,
                amount_qa,
                nonce=nonce,
                chain_id=chain_id,
                gas_price_qa=gas_price_qa,
            )
            answer = await self._call("CreateTransaction", encode_request(payment))
            self._nonces[sender] = nonce
        finally:
            lock.release()
        name = decode_hash(answer.get("TranID") if isinstance(answer, dict) else None)
        if name != payment.id.hex():
            raise BadAnswer("CreateTransaction: the id of another transaction")
        return name

    async def _next_nonce(self, sender: str) -> int:
        """Return the nonce after that of the account and of what was sent from here."""
        try:
            account = await self._call("GetBalance", sender.removeprefix("0x"))
        except RpcError as error:
            if error.code != NO_SUCH_ACCOUNT.code:
                raise
            account = {"nonce": 0}
        if not isinstance(account, dict):
            raise BadAnswer("GetBalance: not an object")
        return max(number(account.get("nonce")), self._nonces.get(sender, 0)) + 1
