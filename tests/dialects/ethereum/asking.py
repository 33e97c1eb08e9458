"""A view on a small chain, and a source that is a list of answers; for tests of handlers."""

from collections.abc import Sequence
from typing import Any

from tests.strategies import make_chain
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.model import Block, EvmTransaction
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.outcomes import Call, Fault, Forward, Handler, Refused
from twisted_chainws.dialects.view import Profile, Settings, View

CHAIN_ID = 31337


def make_view(
    blocks: Sequence[Block] | None = None,
    *,
    pending: Sequence[EvmTransaction] = (),
    queued: Sequence[EvmTransaction] = (),
    profile: Profile = Profile.SUPERSET,
    development: bool = True,
    client_version: str = "chainws/v1.2.3/linux",
    history: int | None = None,
) -> View:
    """Make a view; five empty blocks without others, and no ledger."""
    pool = PendingPool()
    for transaction in pending:
        pool.pending(transaction)
    for transaction in queued:
        pool.queued(transaction)
    chain = CanonicalChain(list(blocks or make_chain(5)), history=history)
    return View(
        chain=ChainView(chain=chain, pool=pool, chain_id=CHAIN_ID),
        ledger=None,
        settings=Settings(
            profile=profile,
            client_version=client_version,
            network_id=CHAIN_ID,
            development=development,
        ),
    )


def ask(
    handler: Handler, params: Any, *answers: Any, view: View | None = None
) -> tuple[Any, list[Call]]:
    """Run a handler against a source that gives these answers, one per question.

    Returns:
        The result and the questions, in order.
    """
    outcome = handler(view or make_view(), params)
    calls: list[Call] = []
    for answer in answers:
        assert isinstance(outcome, Forward), outcome
        calls.append(outcome.call)
        outcome = outcome.then(answer)
    assert not isinstance(outcome, Forward), outcome
    return outcome, calls


def fault(handler: Handler, params: Any, view: View | None = None) -> Fault:
    """Return the fault with which a handler refuses, or fail."""
    try:
        outcome = handler(view or make_view(), params)
    except Refused as refusal:
        return refusal.fault
    raise AssertionError(f"not refused: {outcome!r}")
