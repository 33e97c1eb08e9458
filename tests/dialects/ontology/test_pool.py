from typing import Any

import pytest

from tests.dialects.ontology.ledgers import EVM, as_native, sample
from tests.dialects.ontology.stand import Stand
from tests.strategies import make_native
from twisted_chainws.chain.model import Kind
from twisted_chainws.dialects.ontology import Options, PoolHashes
from twisted_chainws.dialects.ontology.address import encode_reversed
from twisted_chainws.dialects.ontology.listing import raw_transaction

TRANSFER = as_native(sample("ong_transfer_1_5"))
ZILLIQA = make_native(Kind.ZILLIQA)


def test_states() -> None:
    """What may be mined has passed both checks; what waits for another only the first."""
    client = Stand(pending=[TRANSFER, ZILLIQA], queued=[EVM]).client()
    alone = {"Height": 0, "Type": 0, "ErrCode": 0}
    found = client.result("getmempooltxstate", Hash=encode_reversed(TRANSFER.hash))
    assert list(found) == ["State", "Raw"]
    assert found == {
        "State": [alone, {"Height": 2, "Type": 1, "ErrCode": 0}],
        "Raw": TRANSFER.raw.hex(),
    }
    assert [list(each) for each in found["State"]] == [["Height", "Type", "ErrCode"]] * 2
    assert client.result("getmempooltxstate", Hash=encode_reversed(EVM.hash)) == {
        "State": [alone],
        "Raw": raw_transaction(EVM).hex(),
    }


def test_unknown_transactions() -> None:
    """Those of the chain and those of another family are not in the pool."""
    client = Stand(pending=[ZILLIQA]).client()
    for unknown in (ZILLIQA.hash, EVM.hash, bytes(32)):
        refusal = client.refusal("getmempooltxstate", Hash=encode_reversed(unknown))
        assert refusal == (44001, "")


@pytest.mark.parametrize("members", [{}, {"Hash": None}, {"Hash": ""}, {"Hash": 64 * "g"}])
def test_no_hashes(members: Any) -> None:
    """There has to be one."""
    assert Stand().client().refusal("getmempooltxstate", **members) == (42002, "")


def test_counts() -> None:
    """What may be mined, and what waits; others' transactions do not count."""
    assert Stand().client().result("getmempooltxcount") == [0, 0]
    client = Stand(pending=[TRANSFER, ZILLIQA, make_native()], queued=[EVM]).client()
    assert client.result("getmempooltxcount") == [2, 1]


def test_hashes() -> None:
    """Numbers as nodes write them, not reversed; or hex as everywhere else."""
    pending = [TRANSFER, ZILLIQA, make_native()]
    client = Stand(pending=pending, queued=[EVM]).client()
    found = client.result("getmempooltxhashlist")
    assert [bytes(each) for each in found] == [TRANSFER.hash, make_native().hash]
    assert all(len(each) == 32 for each in found)
    friendly = Stand(pending=pending, options=Options(pool_hashes=PoolHashes.HEX)).client()
    assert friendly.result("getmempooltxhashlist") == [
        encode_reversed(TRANSFER.hash),
        encode_reversed(make_native().hash),
    ]


@pytest.mark.parametrize("form", PoolHashes)
def test_an_empty_pool(form: PoolHashes) -> None:
    """Is an empty list."""
    client = Stand(options=Options(pool_hashes=form)).client()
    assert client.result("getmempooltxhashlist") == []
