"""Alchemy's methods about assets against a real engine: a token that exists, and contracts that do not."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.assembler import deployment
from tests.contract import selector
from tests.dialects.ethereum.token_chain import text_answer, word_answer
from tests.running import Running
from tests.signing import ADDRESSES
from tests.token_contract import TOKEN
from tests.wire import RpcError, Wire

pytestmark = pytest.mark.integration

OWNER, FRIEND = ADDRESSES[1:3]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """Give a connection to a server with a token and some transfers."""
    with Running("--silent") as server, Wire(server.port, "/v2/key") as connected:
        yield connected


@pytest.fixture(scope="module")
def token(wire: Wire) -> str:
    """Give the address of the token after one transfer of it and one of ether."""
    created = wire.call(
        "eth_sendTransaction", {"from": OWNER, "data": "0x" + deployment(TOKEN).hex()}
    )
    address: str = wire.call("eth_getTransactionReceipt", created)["contractAddress"]
    word = "0" * 24 + FRIEND[2:]
    data = f"{selector('transfer(address,uint256)')}{word}{2_500_000:064x}"
    wire.call("eth_sendTransaction", {"from": OWNER, "to": address, "data": data})
    wire.call("eth_sendTransaction", {"from": FRIEND, "to": OWNER, "value": hex(10**18)})
    return address


def test_balances(wire: Wire, token: str) -> None:
    """Named or found, the token is asked; what is no token has an error of its own."""
    balance = word_answer(int(FRIEND[-2:], 16))
    held = {"contractAddress": token, "tokenBalance": balance, "error": None}
    for wanted in ([], ["erc20"], ["DEFAULT_TOKENS"], [[token]]):
        answer = wire.call("alchemy_getTokenBalances", FRIEND, *wanted)
        assert answer == {"address": FRIEND, "tokenBalances": [held]}
    answer = wire.call("alchemy_getTokenBalances", FRIEND, [ADDRESSES[9], token])
    assert answer["tokenBalances"][0] == {
        "contractAddress": ADDRESSES[9],
        "tokenBalance": None,
        "error": "the contract answered no balance",
    }
    assert answer["tokenBalances"][1] == held
    assert wire.call("alchemy_getTokenBalances", ADDRESSES[9])["tokenBalances"] == []


def test_the_token_tells_what_the_test_believes(wire: Wire, token: str) -> None:
    """The assembled contract answers as a token does."""
    answers = [
        wire.call("eth_call", {"to": token, "data": selector(name)}, "latest")
        for name in ("symbol()", "decimals()")
    ]
    assert answers == [text_answer("TOK"), word_answer(6)]


def test_transfers(wire: Wire, token: str) -> None:
    """The transfer of the token has its symbol and decimals, that of ether the value of the block."""
    question = {"category": ["external", "erc20"], "withMetadata": True}
    fungible, ether = wire.call("alchemy_getAssetTransfers", question)["transfers"]
    block = wire.call("eth_getBlockByNumber", fungible["blockNum"], False)
    assert block["transactions"] == [fungible["hash"]]
    assert fungible["uniqueId"] == fungible["hash"] + ":log:0"
    assert (fungible["from"], fungible["to"]) == (OWNER, FRIEND)
    assert (fungible["value"], fungible["asset"], fungible["category"]) == (2.5, "TOK", "erc20")
    assert fungible["rawContract"] == {"value": "0x2625a0", "address": token, "decimal": "0x6"}
    assert fungible["metadata"]["blockTimestamp"].endswith(".000Z")
    assert (ether["value"], ether["asset"], ether["category"]) == (1.0, "ETH", "external")
    assert (ether["from"], ether["to"]) == (FRIEND, OWNER)


def test_receipts(wire: Wire, token: str) -> None:
    """The receipts of a block are those of its transactions."""
    found = wire.call("alchemy_getTransactionReceipts", {"blockNumber": "0x2"})
    assert found == {"receipts": wire.call("eth_getBlockReceipts", "0x2")}
    assert found["receipts"][0]["to"] == token


@pytest.mark.parametrize("name", ["alchemy_getTokenMetadata", "alchemy_simulateAssetChanges"])
def test_other_names_are_unknown(wire: Wire, name: str) -> None:
    """What is not built is an unknown method, in a batch as well."""
    with pytest.raises(RpcError) as caught:
        wire.call(name, {})
    assert caught.value.code == -32601


def test_assets_in_a_batch(wire: Wire, token: str) -> None:
    """A question that takes several calls holds its place in a batch of the superset."""
    calls: list[tuple[Any, ...]] = [
        ("eth_chainId",),
        ("alchemy_getTokenBalances", FRIEND, [token]),
        ("alchemy_getAssetTransfers", {"category": ["erc20"]}),
    ]
    chain_id, balances, transfers = wire.batch(calls)
    assert chain_id == "0x7a69"
    assert balances["tokenBalances"][0]["contractAddress"] == token
    assert transfers["transfers"][0]["asset"] == "TOK"
