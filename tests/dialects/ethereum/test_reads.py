from typing import Any

import pytest

from tests.dialects.ethereum.published import published_chain
from tests.dialects.ethereum.views import (
    ask,
    hex_of,
    make_view,
    mixed_block,
    read,
    refusal,
)
from tests.strategies import hash32, make_block, make_chain, make_native, make_transaction
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.pool import PendingPool
from twisted_chainws.chain.view import ChainView
from twisted_chainws.dialects.catalog import make_dialects
from twisted_chainws.dialects.ethereum import encode, rlp_codec
from twisted_chainws.dialects.ethereum.reads import PENDING_BLOCK, get_receipts_of
from twisted_chainws.dialects.outcomes import Forward, Refused
from twisted_chainws.dialects.view import Profile

GENESIS = make_block()
BLOCK = mixed_block(GENESIS)
POOLED = make_transaction(nonce=7)
QUEUED = make_transaction(nonce=9)
VIEW = make_view([GENESIS, BLOCK], pending=[POOLED], queued=[QUEUED])

BY_HASH = hex_of(BLOCK.hash)
UNKNOWN = hex_of(hash32("unknown"))
FIRST, SECOND, NATIVE = (hex_of(transaction.hash) for transaction in BLOCK.transactions)


@pytest.mark.parametrize(
    ("method", "params", "answer"),
    [
        ("web3_clientVersion", [], "chainws/test"),
        (
            "web3_sha3",
            ["0x68656c6c6f20776f726c64"],
            "0x47173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad",
        ),
        ("net_version", [], "31337"),
        ("net_listening", [], True),
        ("net_peerCount", [], "0x0"),
        ("eth_chainId", [], "0x7a69"),
        ("eth_blockNumber", [], "0x1"),
        ("eth_syncing", [], False),
        ("eth_getBlockTransactionCountByNumber", ["latest"], "0x2"),
        ("eth_getBlockTransactionCountByHash", [BY_HASH], "0x2"),
        ("eth_getBlockTransactionCountByNumber", ["0x2"], None),
        ("eth_getUncleCountByBlockNumber", ["0x1"], "0x0"),
        ("eth_getUncleCountByBlockHash", [UNKNOWN], None),
        ("eth_getUncleByBlockNumberAndIndex", ["0x1", "0x0"], None),
        ("eth_getUncleByBlockHashAndIndex", [UNKNOWN, "0x0"], None),
        ("eth_getBlockByNumber", ["0x2", False], None),
        ("eth_getBlockByHash", [UNKNOWN, True], None),
        ("eth_getHeaderByNumber", ["0x2"], None),
        ("eth_getHeaderByHash", [UNKNOWN], None),
        ("eth_getTransactionByHash", [UNKNOWN], None),
        ("eth_getTransactionByHash", [NATIVE], None),
        ("eth_getTransactionReceipt", [UNKNOWN], None),
        ("eth_getTransactionReceipt", [NATIVE], None),
        ("eth_getTransactionReceipt", [hex_of(POOLED.hash)], None),
        ("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x2"], None),
        ("eth_getTransactionByBlockHashAndIndex", [UNKNOWN, "0x0"], None),
        ("eth_getRawTransactionByHash", [UNKNOWN], None),
        ("eth_getRawTransactionByHash", [FIRST], hex_of(BLOCK.transactions[0].raw)),
        ("eth_getRawTransactionByHash", [hex_of(POOLED.hash)], hex_of(POOLED.raw)),
        ("debug_getRawTransaction", [SECOND], hex_of(BLOCK.transactions[1].raw)),
        (
            "eth_getRawTransactionByBlockNumberAndIndex",
            ["0x1", "0x1"],
            hex_of(BLOCK.transactions[1].raw),
        ),
        ("eth_getRawTransactionByBlockHashAndIndex", [BY_HASH, "0x2"], None),
        ("eth_getBlockReceipts", ["0x2"], None),
        ("eth_getBlockReceipts", [UNKNOWN], None),
        ("debug_getRawHeader", ["0x0"], hex_of(rlp_codec.encode_header(GENESIS.extras.header))),
        ("debug_getRawBlock", [BY_HASH], hex_of(rlp_codec.encode_block(BLOCK))),
        (
            "debug_getRawReceipts",
            ["latest"],
            [hex_of(item) for item in rlp_codec.encode_receipts(BLOCK)],
        ),
    ],
)
def test_answers(method: str, params: list[Any], answer: Any) -> None:
    """Each read answers from the chain; what there is not is null."""
    assert ask(VIEW, method, *params) == answer


@pytest.mark.parametrize("full", [True, False, None])
@pytest.mark.parametrize(
    ("method", "selector"),
    [
        ("eth_getBlockByNumber", "0x1"),
        ("eth_getBlockByNumber", "latest"),
        ("eth_getBlockByHash", BY_HASH),
    ],
)
def test_blocks(method: str, selector: str, full: bool | None) -> None:
    """A block comes with the hashes of its transactions unless the objects are wanted."""
    shape = ask(VIEW, method, selector, full)
    assert shape == read(encode.encode_block(BLOCK, full=bool(full)))


@pytest.mark.parametrize("tag", ["earliest", "safe", "finalized"])
def test_low_tags(tag: str) -> None:
    """On a short chain the safe and the finalized block are genesis."""
    assert ask(VIEW, "eth_getBlockByNumber", tag, False)["number"] == "0x0"


def test_headers_are_sorted_and_have_no_body() -> None:
    """The header methods give the members of a block that are in its header."""
    header = ask(VIEW, "eth_getHeaderByNumber", "0x1")
    assert header == ask(VIEW, "eth_getHeaderByHash", BY_HASH)
    assert header == read(encode.encode_header(BLOCK.extras.header, BLOCK.hash))
    assert list(header) == sorted(header)


def test_mined_transactions() -> None:
    """A mined transaction is found by hash and by place, and is the same."""
    shapes = [
        ask(VIEW, "eth_getTransactionByHash", SECOND),
        ask(VIEW, "eth_getTransactionByBlockHashAndIndex", BY_HASH, "0x1"),
        ask(VIEW, "eth_getTransactionByBlockNumberAndIndex", "latest", "0x1"),
        ask(VIEW, "eth_getBlockByNumber", "latest", True)["transactions"][1],
    ]
    assert all(shape == read(encode.encode_mined(BLOCK, 1)) for shape in shapes)


@pytest.mark.parametrize("transaction", [POOLED, QUEUED])
def test_pooled_transactions(transaction: Any) -> None:
    """A transaction of the pool is shown without a place."""
    shape = ask(VIEW, "eth_getTransactionByHash", hex_of(transaction.hash))
    assert shape == read(encode.encode_transaction(transaction))


def test_native_transactions_in_the_pool_are_not_ours() -> None:
    """Pooled transactions of other families do not exist here."""
    native = make_native(salt="pooled")
    view = make_view(pending=[native])
    assert ask(view, "eth_getTransactionByHash", hex_of(native.hash)) is None
    assert ask(view, "eth_getRawTransactionByHash", hex_of(native.hash)) is None


def test_receipts() -> None:
    """Receipts come alone or by block, for EVM transactions only."""
    alone = [ask(VIEW, "eth_getTransactionReceipt", item) for item in (FIRST, SECOND)]
    assert alone == ask(VIEW, "eth_getBlockReceipts", "latest")
    assert alone == ask(VIEW, "eth_getBlockReceipts", {"blockHash": BY_HASH})


@pytest.mark.parametrize(
    "selector",
    [{"blockNumber": "0x1"}, {"blockNumber": "latest"}, {"blockHash": BY_HASH}],
)
def test_receipts_in_an_object(selector: dict[str, str]) -> None:
    """Alchemy's method has the receipts of a block in a member of an object."""
    answer = read(get_receipts_of(VIEW, [selector]))
    assert answer == {"receipts": ask(VIEW, "eth_getBlockReceipts", "0x1")}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ([], "missing value for required argument 0"),
        (
            ["0x1"],
            (
                "invalid argument 0: json: cannot unmarshal string into Go value "
                "of type rpc.BlockNumberOrHash"
            ),
        ),
        ([{}], "invalid argument 0: must specify either BlockHash or BlockNumber"),
        (
            [{"blockNumber": "0x1", "blockHash": BY_HASH}],
            (
                "invalid argument 0: "
                "cannot specify both BlockHash and BlockNumber, choose one or the other"
            ),
        ),
    ],
)
def test_receipts_in_an_object_want_a_block(params: list[Any], message: str) -> None:
    """One of number and hash must be given."""
    with pytest.raises(Refused) as caught:
        get_receipts_of(VIEW, params)
    assert (caught.value.fault.code, caught.value.fault.message) == (-32602, message)


def test_receipts_in_an_object_of_other_blocks() -> None:
    """An unknown block is null, the pending one is asked of the source."""
    assert get_receipts_of(VIEW, [{"blockHash": UNKNOWN}]) is None
    assert get_receipts_of(VIEW, [{"blockNumber": "0x9"}]) is None
    outcome = get_receipts_of(VIEW, [{"blockNumber": "pending"}])
    assert outcome.call == PENDING_BLOCK
    assert outcome.then(UNSEALED) == {"receipts": encode.encode_receipts(UNSEALED)}


def test_uncles() -> None:
    """Uncles are counted and shown by number and by hash."""
    view = make_view(published_chain())
    block = next(block for block in published_chain() if block.extras.uncles)
    number, block_hash = hex(block.number), hex_of(block.hash)
    count = hex(len(block.extras.uncles))
    assert ask(view, "eth_getUncleCountByBlockNumber", number) == count
    assert ask(view, "eth_getUncleCountByBlockHash", block_hash) == count
    uncle = ask(view, "eth_getUncleByBlockNumberAndIndex", number, "0x0")
    assert uncle == read(encode.encode_uncle(block.extras.uncles[0]))
    assert ask(view, "eth_getUncleByBlockHashAndIndex", block_hash, "0x9") is None


UNSEALED = mixed_block(BLOCK)


@pytest.mark.parametrize(
    ("method", "params", "answer"),
    [
        ("eth_getBlockByNumber", [False], encode.encode_pending_block(UNSEALED, full=False)),
        ("eth_getBlockByNumber", [True], encode.encode_pending_block(UNSEALED, full=True)),
        ("eth_getBlockTransactionCountByNumber", [], "0x2"),
        ("eth_getUncleCountByBlockNumber", [], "0x0"),
        ("eth_getUncleByBlockNumberAndIndex", ["0x0"], None),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            ["0x0"],
            encode.encode_mined(UNSEALED, 0) | {"blockHash": None},
        ),
        (
            "eth_getRawTransactionByBlockNumberAndIndex",
            ["0x0"],
            hex_of(UNSEALED.transactions[0].raw),
        ),
        (
            "eth_getHeaderByNumber",
            [],
            encode.encode_block_header(UNSEALED) | {"hash": None, "miner": None, "nonce": None},
        ),
        ("eth_getBlockReceipts", [], encode.encode_receipts(UNSEALED)),
        ("debug_getRawBlock", [], hex_of(rlp_codec.encode_block(UNSEALED))),
    ],
)
def test_pending(method: str, params: list[Any], answer: Any) -> None:
    """What concerns the pending block is asked of the source and answered from its block."""
    outcome = ask(VIEW, method, "pending", *params)
    assert isinstance(outcome, Forward)
    assert outcome.call == PENDING_BLOCK
    assert read(outcome.then(UNSEALED)) == read(answer)


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("eth_blockNumber", [1], -32602, "too many arguments, want at most 0"),
        ("eth_getBlockByNumber", [], -32602, "missing value for required argument 0"),
        (
            "eth_getBlockByNumber",
            ["2"],
            -32602,
            "invalid argument 0: hex string without 0x prefix",
        ),
        ("eth_getBlockByHash", ["0x12", True], -32602, None),
        ("eth_getTransactionByHash", [None], -32602, "missing value for required argument 0"),
        ("debug_getRawHeader", ["0x2"], -32000, "header not found"),
        ("debug_getRawBlock", [UNKNOWN], -32000, "header for hash not found"),
    ],
)
def test_refusals(method: str, params: list[Any], code: int, message: str | None) -> None:
    """Arguments that make no sense are refused in go-ethereum's words."""
    refused = refusal(VIEW, method, *params)
    assert refused[0] == code
    assert message is None or refused[1] == message


def test_geth_wants_the_second_argument() -> None:
    """In the geth profile the flag of the block getters is required."""
    view = make_view(profile=Profile.GETH)
    for method, selector in [("eth_getBlockByNumber", "0x0"), ("eth_getBlockByHash", UNKNOWN)]:
        missing = (-32602, "missing value for required argument 1")
        assert refusal(view, method, selector) == missing


def test_pruned_history() -> None:
    """Blocks below the kept history are an error, and so are tags that point there."""
    view = make_view(make_chain(50), history=5)
    assert refusal(view, "eth_getBlockByNumber", "0x1", False) == (
        4444,
        "pruned history unavailable",
    )
    assert refusal(view, "eth_getBlockByNumber", "safe", False) == (
        -32000,
        "safe block not found",
    )


NODE_MODULES = {"chainws", "debug", "eth", "net", "rpc", "txpool", "web3"}
DEVELOPMENT_MODULES = {"anvil", "evm", "hardhat", "tenderly", "testing"}


@pytest.mark.parametrize(
    ("profile", "development", "modules"),
    [
        (Profile.GETH, False, NODE_MODULES),
        (Profile.GETH, True, NODE_MODULES | {"testing"}),
        (Profile.ANVIL, False, NODE_MODULES | {"personal"}),
        (Profile.ANVIL, True, NODE_MODULES | DEVELOPMENT_MODULES | {"personal"}),
        (Profile.ALCHEMY, False, NODE_MODULES | {"personal", "alchemy"}),
        (Profile.SUPERSET, True, NODE_MODULES | DEVELOPMENT_MODULES | {"personal", "alchemy"}),
    ],
)
def test_modules(profile: Profile, development: bool, modules: set[str]) -> None:
    """The namespaces of what is served are listed, and no others."""
    dialect = make_dialects(profile)[0]
    view = make_view(profile=profile, development=development)
    assert dialect.methods["rpc_modules"](view, []) == dict.fromkeys(sorted(modules), "1.0")


def test_side_branches_are_found_by_hash() -> None:
    """A block that left the chain is still found by its hash, but not its transactions."""
    chain = CanonicalChain([GENESIS, BLOCK])
    view = make_view()
    view.chain = ChainView(chain=chain, pool=PendingPool(), chain_id=1)
    chain.reorganise(GENESIS.hash, [make_block(GENESIS, salt="other")])
    assert ask(view, "eth_getBlockByHash", BY_HASH, False)["hash"] == BY_HASH
    assert ask(view, "eth_getTransactionReceipt", FIRST) is None
