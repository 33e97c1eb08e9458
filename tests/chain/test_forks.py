"""Which rules count when, and what blobs cost under them."""

from dataclasses import replace

import pytest

from tests.strategies import make_block
from twisted_chainws.chain.forks import (
    CANCUN_BLOBS,
    DEVELOPMENT,
    GAS_PER_BLOB,
    PRAGUE_BLOBS,
    BlobParameters,
    Fork,
    ForkSchedule,
    next_excess_blob_gas,
)
from twisted_chainws.chain.model import EthereumHeader
from twisted_chainws.chain.types import BlockNumber, Gas, Timestamp, Wei

LONDON = Fork(name="london", rules="london", start=0, timed=False)
PARIS = Fork(name="paris", rules="paris", start=5, timed=False)
CANCUN = Fork(name="cancun", rules="cancun", start=100, timed=True, blobs=CANCUN_BLOBS)
PRAGUE = Fork(name="prague", rules="prague", start=200, timed=True, blobs=PRAGUE_BLOBS)
OSAKA = Fork(name="osaka", rules="osaka", start=200, timed=True, blobs=PRAGUE_BLOBS)
SCHEDULE = ForkSchedule(
    forks=(LONDON, PARIS, CANCUN, PRAGUE, OSAKA), deposit_contract=bytes(20), requests=True
)


def header(number: int = 9, timestamp: int = 100, **changes: int | None) -> EthereumHeader:
    """Return a header with some fields replaced."""
    values = {"excess_blob_gas": Gas(0), "blob_gas_used": Gas(0), "base_fee_per_gas": Wei(7)}
    made = replace(
        make_block().extras.header, number=BlockNumber(number), timestamp=Timestamp(timestamp)
    )
    return replace(made, **(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "timestamp", "fork"),
    [
        (0, 0, LONDON),
        (4, 999, LONDON),
        (5, 99, PARIS),
        (5, 100, CANCUN),
        (900, 199, CANCUN),
        (5, 200, OSAKA),
    ],
)
def test_the_fork_of_a_block(number: int, timestamp: int, fork: Fork) -> None:
    """Forks come by number up to the Merge and by time after it; of two at once the later one."""
    assert SCHEDULE.at(number, timestamp) == fork
    assert SCHEDULE.of(header(number, timestamp)) == fork


def test_what_follows_a_fork() -> None:
    """The rest of the schedule follows a fork; nothing follows the last one."""
    assert SCHEDULE.after(CANCUN) == (PRAGUE, OSAKA)
    assert SCHEDULE.after(OSAKA) == ()


def test_rules_contain_the_older_ones() -> None:
    """A fork has its own rules and all before them."""
    assert CANCUN.has("london")
    assert CANCUN.has("cancun")
    assert not CANCUN.has("prague")


def test_a_development_chain_is_under_prague_for_ever() -> None:
    """Its only fork is active from genesis on."""
    assert DEVELOPMENT.at(0, 0) == DEVELOPMENT.at(10**9, 10**12)
    assert DEVELOPMENT.at(0, 0).rules == "prague"


@pytest.mark.parametrize(
    ("excess", "fee"), [(0, 1), (2_314_057, 1), (5_007_716, 2), (10**7, 7), (50_077_160, 22_026)]
)
def test_the_blob_fee_grows_with_the_power_of_e(excess: int, fee: int) -> None:
    """``fake_exponential`` of the excess over the fraction, rounded down."""
    assert PRAGUE_BLOBS.fee(excess) == fee


def test_the_excess_is_what_was_used_above_the_target() -> None:
    """A child has no excess as long as the target was not reached."""
    target = 3 * GAS_PER_BLOB
    assert next_excess_blob_gas(CANCUN, excess=0, used=target - 1, base_fee=9**9) == 0
    assert next_excess_blob_gas(CANCUN, excess=5, used=target, base_fee=9**9) == 5
    with pytest.raises(ValueError, match="paris knows no blobs"):
        next_excess_blob_gas(PARIS, excess=0, used=0, base_fee=0)


@pytest.mark.parametrize(("base_fee", "blobs"), [(16, 2), (17, 4)])
def test_osaka_keeps_blobs_from_getting_too_cheap(base_fee: int, blobs: int) -> None:
    """Where gas costs far more than blobs, the excess grows with all blobs used (EIP-7918)."""
    fork = replace(OSAKA, blobs=BlobParameters(target=6, most=9, fraction=10**9))
    found = next_excess_blob_gas(
        fork, excess=2 * GAS_PER_BLOB, used=6 * GAS_PER_BLOB, base_fee=base_fee
    )
    assert found == blobs * GAS_PER_BLOB


def test_the_fees_of_a_header() -> None:
    """A header tells the blob fee of its block and of a child; before Cancun there is none."""
    full = header(excess_blob_gas=20_000_000, blob_gas_used=6 * GAS_PER_BLOB)
    assert SCHEDULE.blob_fee(full) == CANCUN_BLOBS.fee(20_000_000)
    assert SCHEDULE.next_blob_fee(full) == CANCUN_BLOBS.fee(20_000_000 + 3 * GAS_PER_BLOB)
    assert SCHEDULE.next_blob_fee(header(blob_gas_used=None, base_fee_per_gas=None)) == 1
    assert SCHEDULE.blob_limit(full) == 6 * GAS_PER_BLOB
    for old in (header(timestamp=9), header(excess_blob_gas=None)):
        assert SCHEDULE.blob_fee(old) == SCHEDULE.next_blob_fee(old) == 0
    assert SCHEDULE.blob_limit(header(timestamp=9)) == 0
