from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from tests.client.test_promise import ends
from tests.dialects.zilliqa.vectors import derivation
from twisted_chainws.client.errors import BadAnswer, Misuse, RpcError
from twisted_chainws.client.promise import promise
from twisted_chainws.client.zilliqa.paying import Payer

KEY = derivation("keys")[1]
SECRET = bytes.fromhex(KEY["privateKey"])
TO = "0x" + "11" * 20


class Stand:
    """A payer, and a node that takes what it sends."""

    def __init__(self, nonce: int = 4) -> None:
        self.nonce = nonce
        self.asked: list[tuple[Any, ...]] = []
        self.waiting: list[Deferred[Any]] = []
        self.names: list[str] = []
        self.answers: dict[str, Callable[..., Any]] = {
            "GetMinimumGasPrice": lambda: "2000000000",
            "GetBalance": lambda _: {"balance": "1", "nonce": self.nonce},
        }
        call: Any = self._call
        self.payer = Payer(call)

    def _call(self, method: str, *params: Any) -> Deferred[Any]:
        self.asked.append((method, *params))
        if method not in self.answers:
            self.waiting.append(Deferred())
            return self.waiting[-1]
        try:
            return succeed(self.answers[method](*params))
        except RpcError as error:
            return fail(error)

    def pay(self, **more: Any) -> list[Any]:
        usual: dict[str, Any] = {"chain_id": 222, "nonce": None, "gas_price_qa": None}
        return ends(promise(self.payer.pay(SECRET, TO, 5, **usual | more)))

    @property
    def sent(self) -> list[Any]:
        """The transactions."""
        return [asked[1] for asked in self.asked if asked[0] == "CreateTransaction"]


def test_what_is_asked() -> None:
    """Price and nonce are asked for, unless they are given; the account by bare hex."""
    stand = Stand()
    stand.pay()
    assert stand.asked[:2] == [("GetMinimumGasPrice",), ("GetBalance", KEY["address"])]
    assert (stand.sent[0]["nonce"], stand.sent[0]["gasPrice"]) == (5, "2000000000")
    assert stand.sent[0]["version"] == 14548993
    given = Stand()
    given.pay(nonce=9, gas_price_qa=7)
    assert [method for method, *_ in given.asked] == ["CreateTransaction"]
    assert (given.sent[0]["nonce"], given.sent[0]["gasPrice"]) == (9, "7")


def test_an_account_that_is_new() -> None:
    """Its first nonce is 1."""
    stand = Stand()

    def unknown(_address: str) -> None:
        raise RpcError(-5, "Account is not created")

    stand.answers["GetBalance"] = unknown
    stand.pay()
    assert stand.sent[0]["nonce"] == 1


def test_payments_one_after_the_other() -> None:
    """The next of a sender waits for the one before, and follows it before the account does."""
    stand = Stand()
    first, second = stand.pay(), stand.pay()
    assert len(stand.sent) == 1
    stand.waiting[0].callback({"TranID": "ab" * 32})
    assert first == [BadAnswer]
    assert [one["nonce"] for one in stand.sent] == [5, 6]
    assert second == []
    stand.nonce = 20
    stand.pay()
    stand.waiting[1].errback(RpcError(-26, "CHAIN_ID incorrect"))
    assert second == [RpcError]
    assert stand.sent[2]["nonce"] == 21


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_the_id(prefix: str) -> None:
    """It is that of the transaction, with or without prefix."""
    stand = Stand()
    name = derivation("payment_tx")["ID"]
    same: dict[str, Any] = {"chain_id": 333, "nonce": 2, "gas_price_qa": 2_000_000_000}
    to = derivation("keys")[0]["bech32"]
    paying = ends(promise(stand.payer.pay(SECRET, to, 10**12, **same)))
    stand.waiting[0].callback({"Info": "Txn processed", "TranID": prefix + name})
    assert paying == [name]


@pytest.mark.parametrize("answer", [None, [], {}, {"nonce": "x"}])
def test_balances_that_are_none(answer: Any) -> None:
    """What cannot be read is a BadAnswer, and the next payment has its turn."""
    stand = Stand()
    stand.answers["GetBalance"] = lambda _: answer
    assert stand.pay() == [BadAnswer]
    stand.answers["GetBalance"] = lambda _: {"nonce": 1}
    stand.answers["CreateTransaction"] = lambda _: None
    assert stand.pay() == [BadAnswer]


def test_misuse() -> None:
    """What is no key is the caller's mistake."""
    stand = Stand()
    assert ends(promise(stand.payer.pay(b"", TO, 1, chain_id=1, nonce=1, gas_price_qa=1))) == [
        Misuse
    ]
    assert stand.asked == []
