from dataclasses import replace
from typing import Any

import pytest

from tests.dialects.ethereum.asking import ask, fault
from tests.strategies import make_block, make_chain, make_transaction
from twisted_chainws.chain.model import Withdrawal
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ethereum.encode import encode_block
from twisted_chainws.dialects.ethereum.payload import PAYLOAD
from twisted_chainws.dialects.outcomes import Query

BUILD = PAYLOAD["testing_buildBlockV1"]
A, WORD = "0x" + "01" * 20, "0x" + "03" * 32
ATTRIBUTES = {"timestamp": "0x1", "prevRandao": WORD, "suggestedFeeRecipient": A}
BLOCK = make_block(make_chain(2)[-1], [(make_transaction(), [])])
ANSWER = {"block": BLOCK, "requests": ["0x00ff"], "value": "0x7"}


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ([WORD, ATTRIBUTES], {"transactions": None, "extra_data": "0x"}),
        ([WORD, ATTRIBUTES, None, None], {"transactions": None, "extra_data": "0x"}),
        ([WORD, ATTRIBUTES, [], "0x12"], {"transactions": [], "extra_data": "0x12"}),
        ([WORD, ATTRIBUTES, ["0x01", "0x0203"]], {"transactions": ["0x01", "0x0203"]}),
    ],
)
def test_the_source_hears_what_to_build(params: list[Any], sent: dict[str, Any]) -> None:
    """No list of transactions means those of the pool; an empty one means none."""
    _, calls = ask(BUILD, params, ANSWER)
    expected = {"parent": WORD, "attributes": ATTRIBUTES, "extra_data": "0x"} | sent
    assert calls == [Query(method="build_block", params=expected)]


def test_attributes_may_say_more() -> None:
    """Withdrawals and beacon root go along, the fields of later forks are left out."""
    more = {"withdrawals": [{"index": "0x1", "address": A}], "parentBeaconBlockRoot": WORD}
    _, (query,) = ask(BUILD, [WORD, ATTRIBUTES | more | {"slotNumber": "0x1"}], ANSWER)
    assert isinstance(query, Query)
    assert query.params["attributes"] == ATTRIBUTES | more


def test_the_payload_is_the_block_in_other_words() -> None:
    """Members are those of the engine API; transactions are raw."""
    withdrawal = Withdrawal(
        index=1, validator_index=2, address=Address20(b"\x01" * 20), amount_gwei=3
    )
    block = replace(BLOCK, extras=replace(BLOCK.extras, withdrawals=(withdrawal,)))
    answer, _ = ask(BUILD, [WORD, ATTRIBUTES], ANSWER | {"block": block})
    shown = encode_block(block, full=False)
    assert answer == {
        "executionPayload": {
            "parentHash": shown["parentHash"],
            "feeRecipient": shown["miner"],
            "stateRoot": shown["stateRoot"],
            "receiptsRoot": shown["receiptsRoot"],
            "logsBloom": shown["logsBloom"],
            "prevRandao": shown["mixHash"],
            "blockNumber": shown["number"],
            "gasLimit": shown["gasLimit"],
            "gasUsed": shown["gasUsed"],
            "timestamp": shown["timestamp"],
            "extraData": shown["extraData"],
            "baseFeePerGas": shown["baseFeePerGas"],
            "blockHash": shown["hash"],
            "transactions": [f"0x{BLOCK.transactions[0].raw.hex()}"],
            "withdrawals": [
                {"index": "0x1", "validatorIndex": "0x2", "address": A, "amount": "0x3"}
            ],
            "blobGasUsed": shown["blobGasUsed"],
            "excessBlobGas": shown["excessBlobGas"],
        },
        "blockValue": "0x7",
        "blobsBundle": {"commitments": [], "proofs": [], "blobs": []},
        "executionRequests": ["0x00ff"],
        "shouldOverrideBuilder": False,
    }


@pytest.mark.parametrize("missing", sorted(ATTRIBUTES))
def test_attributes_must_be_whole(missing: str) -> None:
    """Time, randomness and recipient have no defaults."""
    given = {name: value for name, value in ATTRIBUTES.items() if name != missing}
    found = fault(BUILD, [WORD, given])
    assert (found.code, found.message) == (
        -32602,
        f"invalid argument 1: missing required field '{missing}' for engine.PayloadAttributes",
    )
