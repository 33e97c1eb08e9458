"""Answers about the published test chain, byte by byte where go-ethereum's order is known."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from eth_hash.auto import keccak

from tests.dialects.ethereum.published import exchanges, published_chain
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.ethereum import DIALECT
from twisted_chainws.dialects.ethereum.errors import fault_of
from twisted_chainws.dialects.ethereum.rlp_codec import encode_header
from twisted_chainws.dialects.outcomes import Refused
from twisted_chainws.dialects.view import Profile, Settings, View

CHAIN_ID = 3503995874084926

NEEDS_EXECUTION = {
    "eth_getLogs/contract-addr",
    "eth_getLogs/filter-with-blockHash",
    "eth_getLogs/filter-with-blockHash-and-topics",
    "eth_getLogs/topic-exact-match",
    "eth_getLogs/topic-null-wildcard",
    "eth_getLogs/topic-wildcard",
}
"""The chain file holds no logs."""


@pytest.fixture(scope="module")
def view() -> View:
    """Give a view of the published chain."""
    chain = CanonicalChain(published_chain())
    return View(
        chain=ChainView(chain=chain, pool=PendingPool(), chain_id=CHAIN_ID),
        ledger=DIALECT.projection(),
        settings=Settings(
            profile=Profile.SUPERSET,
            client_version="test",
            network_id=CHAIN_ID,
            development=False,
        ),
    )


CASES = [
    pytest.param(request, response, id=name)
    for name, request, response in exchanges()
    if name not in NEEDS_EXECUTION
]


@pytest.mark.parametrize(("request_", "response"), CASES)
def test_published_exchange(view: View, request_: dict[str, Any], response: dict[str, Any]) -> None:
    """Each published request gets the published answer, members in the published order."""
    params = request_.get("params")
    # The published node was told that its head is safe and final; ours counts blocks.
    if params and params[0] in ("safe", "finalized"):
        params = ["latest", *params[1:]]
    handler = DIALECT.methods[request_["method"]]
    if "error" in response:
        with pytest.raises(Refused) as caught:
            handler(view, params)
        fault = fault_of(caught.value)
        assert fault.code == response["error"]["code"]
        assert fault.message == response["error"]["message"]
    else:
        result = orjson.dumps(handler(view, params))
        assert result == orjson.dumps(response["result"])


def test_header_hashes() -> None:
    """The hash of every encoded header of every fork is what the chain calls the block."""
    blocks = published_chain()
    assert len(blocks) == 55
    assert all(keccak(encode_header(block.extras.header)) == block.hash for block in blocks)
    assert all(parent.hash == child.parent_hash for parent, child in pairwise(blocks))
