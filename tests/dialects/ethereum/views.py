"""A view over model values, and short ways to ask its handlers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from tests.strategies import make_block, make_log, make_native, make_transaction
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.forks import DEVELOPMENT, ForkSchedule
from twisted_chainws.chain.model import Block, EvmTransaction, Transaction
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.types import Wei
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.ethereum import DIALECT, make
from twisted_chainws.dialects.ethereum.errors import fault_of
from twisted_chainws.dialects.outcomes import Fault, Outcome
from twisted_chainws.dialects.view import Profile, Settings, View
from twisted_chainws.errors import ChainwsError


def make_view(
    blocks: Sequence[Block] | None = None,
    *,
    pending: Sequence[Transaction] = (),
    queued: Sequence[Transaction] = (),
    profile: Profile = Profile.SUPERSET,
    development: bool = True,
    history: int | None = None,
    forks: ForkSchedule = DEVELOPMENT,
    **settings: Any,
) -> View:
    """Make a view of a chain (a lone genesis when None) and a pool."""
    pool = PendingPool()
    for transaction in pending:
        pool.pending(transaction)
    for transaction in queued:
        pool.queued(transaction)
    chain = CanonicalChain(blocks or [make_block()], history=history)
    return View(
        chain=ChainView(chain=chain, pool=pool, chain_id=31337, forks=forks),
        ledger=DIALECT.projection(),
        settings=Settings(
            profile=profile,
            client_version="chainws/test",
            network_id=31337,
            development=development,
            **settings,
        ),
    )


def ask(view: View, method: str, *params: Any) -> Any:
    """Ask a handler; a plain answer comes as the client would read it, an outcome as it is."""
    answer = make(view.settings.profile).methods[method](view, list(params))
    return read(answer)


def read(answer: Any) -> Any:
    """Turn a plain answer into what the client reads; outcomes stay as they are."""
    return answer if isinstance(answer, Outcome) else orjson.loads(orjson.dumps(answer))


def refusal(view: View, method: str, *params: Any) -> tuple[int, str]:
    """Ask a handler that must refuse; return code and message."""
    fault = fault_for(view, method, *params)
    return fault.code, fault.message


def fault_for(view: View, method: str, *params: Any) -> Fault:
    """Ask a handler that must refuse; return the fault."""
    try:
        answer = ask(view, method, *params)
    except ChainwsError as error:
        return fault_of(error, view.settings.profile)
    raise AssertionError(f"{method} answered {answer!r}")


def hex_of(value: bytes) -> str:
    """Write bytes as the wire does."""
    return "0x" + value.hex()


def at_base_fee(block: Block, base_fee: int | None, **header: Any) -> Block:
    """Return the block with another base fee and other header fields; its hash stays."""
    changed = replace(
        block.extras.header, base_fee_per_gas=None if base_fee is None else Wei(base_fee), **header
    )
    return replace(block, extras=replace(block.extras, header=changed))


def mixed_block(parent: Block) -> Block:
    """Make a block of two EVM transactions with three logs and a native one with a log."""
    return make_block(
        parent,
        [
            (make_transaction(nonce=0), [make_log(), make_log(data=b"\x01")]),
            (make_transaction(nonce=1), [make_log(data=b"\x02")]),
            (make_native(), [make_log(data=b"\x03")]),
        ],
    )


def with_contract(transaction: EvmTransaction) -> EvmTransaction:
    """Return the transaction as a contract creation."""
    return replace(transaction, to=None)
