from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given

from tests.strategies import blocks_on, make_block, make_log, make_native, make_transaction, relaxed
from twisted_chainws.chain.model import (
    AccessListEntry,
    Authorization,
    Block,
    EvmTransaction,
    Kind,
    LocatedLog,
    NamedEvent,
    NamedParam,
    Withdrawal,
)
from twisted_chainws.chain.types import Address20, Hash32


@relaxed
@given(blocks_on())
def test_logs_are_counted_over_the_whole_block(block: Block) -> None:
    """Log indices run without holes over all transactions, in order."""
    located = list(block.logs())
    assert [found.log_index for found in located] == list(range(len(located)))
    assert [found.log for found in located] == [
        log for receipt in block.receipts for log in receipt.logs
    ]
    for found in located:
        assert found.block is block
        assert found.log in block.receipts[found.transaction_index].logs


def test_a_located_log_knows_its_transaction() -> None:
    """Logs of the second transaction say so, whatever the first one logged."""
    contents = [
        (make_transaction(nonce=0), [make_log()]),
        (make_transaction(nonce=1), [make_log()]),
    ]
    block = make_block(None, contents)
    assert list(block.logs())[1] == LocatedLog(
        block=block, transaction_index=1, log_index=1, log=make_log()
    )


def test_kinds() -> None:
    """An EVM transaction is always of that kind, a native one says which."""
    assert make_transaction().kind is EvmTransaction.kind is Kind.EVM
    assert make_native(Kind.ZILLIQA).kind is Kind.ZILLIQA


@pytest.mark.parametrize(
    "value",
    [
        make_transaction(),
        make_native(),
        make_log(),
        make_block(),
        AccessListEntry(address=Address20(bytes(20)), storage_keys=(Hash32(bytes(32)),)),
        Authorization(chain_id=0, address=Address20(bytes(20)), nonce=0, y_parity=0, r=1, s=1),
        NamedEvent(
            address=Address20(bytes(20)),
            name="transfer",
            params=(NamedParam(name="value", type="uint256", value=1),),
        ),
        Withdrawal(index=0, validator_index=0, address=Address20(bytes(20)), amount_gwei=1),
    ],
)
def test_values_are_frozen_and_hashable(value: object) -> None:
    """Model values can be shared: nobody can change them, and they can be keys."""
    assert hash(value) == hash(value)
    field = next(iter(type(value).__slots__))  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        setattr(value, field, None)
