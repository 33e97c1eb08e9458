from typing import Any

import pytest

from tests.client.test_promise import ends
from tests.client.zilliqa.ledger import ALICE, BOB, OTHER_TOKEN, TOKEN, Ledger, call, event, payment
from twisted_chainws.client.promise import promise
from twisted_chainws.client.zilliqa.bodies import contents_of
from twisted_chainws.client.zilliqa.envelope import Contents
from twisted_chainws.client.zilliqa.subscription import Subscription
from twisted_chainws.client.zilliqa.values import decode_block
from twisted_chainws.websocket.awaiting import succeeded

BLOCK = decode_block(Ledger().chain[-1])
CONTENTS = contents_of(
    BLOCK,
    [call("a", event("x"), event("y", OTHER_TOKEN)), payment("b", BOB), payment("c", OTHER_TOKEN)],
)
TRANSFERS = CONTENTS.transfers


def made(kind: str, *addresses: str) -> Subscription:
    """Return a subscription."""
    return Subscription(
        kind=kind,
        addresses=addresses,
        queue_size=10,
        unsubscribe=lambda _: succeeded(value=True),
        overflowed=lambda one: one.overflowed(),
    )


async def everything(subscription: Subscription) -> list[Any]:
    """Iterate to the end."""
    return [event async for event in subscription]


@pytest.mark.parametrize(
    ("subscription", "expected"),
    [
        (made("NewBlock"), [BLOCK]),
        (made("EventLog", TOKEN), [CONTENTS.events[0]]),
        (made("EventLog", OTHER_TOKEN, TOKEN), list(CONTENTS.events)),
        (made("EventLog", BOB), []),
        (made("TxnLog", BOB), [TRANSFERS[1]]),
        (made("TxnLog", ALICE), list(TRANSFERS)),
        (made("TxnLog", TOKEN, OTHER_TOKEN), [TRANSFERS[0], TRANSFERS[2]]),
    ],
)
def test_each_gets_its_own(subscription: Subscription, expected: Any) -> None:
    """Blocks go to who wants blocks, the rest by addresses: senders, recipients, emitters."""
    subscription.tell(CONTENTS)
    subscription.tell(Contents(block=None))
    subscription.end()
    assert ends(promise(everything(subscription))) == [expected]


def test_unsubscribing() -> None:
    """It goes to the client."""
    assert ends(made("NewBlock").unsubscribe()) == [True]
