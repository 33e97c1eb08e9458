from dataclasses import replace

import pytest

from tests.dialects.ethereum.views import make_view, mixed_block, refusal
from tests.strategies import make_block, make_chain, make_transaction
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Seq
from twisted_chainws.dialects.ethereum import DIALECT, extend, make
from twisted_chainws.dialects.ethereum.methods import METHODS, announce
from twisted_chainws.dialects.ethereum.topics import TOPICS
from twisted_chainws.dialects.outcomes import Fault, Refused, Subscribe
from twisted_chainws.dialects.view import Profile
from twisted_chainws.subscriptions.events import (
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionMined,
    events_of,
)

ONLY_DEVELOPMENT = ["eth_coinbase", "evm_mine", "anvil_setBalance", "hardhat_setNonce"]


@pytest.mark.parametrize("profile", Profile)
def test_every_profile_serves_the_standard_methods(profile: Profile) -> None:
    """No profile lacks a method that every node has; HTTP serves the same names."""
    dialect = make(profile)
    assert {"eth_chainId", "eth_call", "eth_getLogs", "eth_subscribe"} < dialect.methods.keys()
    assert dialect.http is not None
    assert dialect.http.methods.keys() == dialect.methods.keys()
    assert set(dialect.methods) <= set(METHODS)


@pytest.mark.parametrize("params", [None, [], ["newHeads"], ["foo"], {}])
def test_http_has_no_subscriptions(params: object) -> None:
    """Over HTTP that is said before anything else about the arguments."""
    assert DIALECT.http is not None
    with pytest.raises(Refused) as caught:
        DIALECT.http.methods["eth_subscribe"](make_view(), params)
    assert caught.value.fault == Fault(code=-32601, message="notifications not supported")


def test_geth_knows_no_development_methods() -> None:
    """The geth profile has only names that go-ethereum has."""
    methods = make(Profile.GETH).methods
    assert not any(name.startswith(("anvil_", "evm_", "hardhat_", "tenderly_")) for name in methods)
    assert not methods.keys() & {"personal_sign", "eth_mining", "eth_sendUnsignedTransaction"}


@pytest.mark.parametrize("method", ONLY_DEVELOPMENT)
def test_development_methods_are_unknown_on_real_chains(method: str) -> None:
    """Where the chain comes from nodes, development methods do not exist."""
    assert refusal(make_view(development=False), method) == (
        -32601,
        f"the method {method} does not exist/is not available",
    )


def test_the_record() -> None:
    """The default dialect is the superset, on the port that every tool tries first."""
    assert DIALECT.methods is METHODS
    assert DIALECT.default_port == 8545
    assert DIALECT.claims(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}')
    assert set(DIALECT.topics) == {
        "newHeads", "logs", "newPendingTransactions", "syncing", "transactionReceipts",
    }  # fmt: skip


def test_extending_a_dialect() -> None:
    """More names are served on both faces, and the original stays as it was."""
    extended = extend(
        DIALECT, topics={"more": TOPICS["logs"]}, methods={"x_more": METHODS["eth_chainId"]}
    )
    assert extended.http is not None
    assert extended.http.methods.keys() == extended.methods.keys() == {*METHODS, "x_more"}
    assert extended.topics.keys() == {*TOPICS, "more"}
    assert isinstance(extended.methods["eth_subscribe"](make_view(), ["more"]), Subscribe)
    with pytest.raises(Refused, match='no "more" subscription'):
        DIALECT.methods["eth_subscribe"](make_view(), ["more"])
    only_methods = extend(replace(DIALECT, http=None), topics={}, methods=None)
    assert only_methods.http is None


def test_announcements_leave_other_families_out() -> None:
    """What native transactions log and do are not events of this dialect."""
    genesis = make_block()
    block = mixed_block(genesis)
    events = list(announce(Advance(seq=Seq(1), undone=(), applied=(block,))))
    logs = [event for event in events if isinstance(event, LogEvent)]
    receipts = [event for event in events if isinstance(event, ReceiptsAdded)]
    mined = [event for event in events if isinstance(event, TransactionMined)]
    assert isinstance(events[0], HeadAdded)
    assert [event.position for event in mined] == [0, 1]
    assert [event.log_index for event in logs] == [0, 1, 2]
    assert [event.positions for event in receipts] == [(0, 1)]


def test_announcements_of_plain_blocks() -> None:
    """Where there are only EVM transactions, everything is announced, removed logs first."""
    old, new = make_chain(2)[1], make_block(make_block(), [(make_transaction(), [])])
    advance = Advance(seq=Seq(1), undone=(old,), applied=(new,))
    assert list(announce(advance)) == list(events_of(advance))
