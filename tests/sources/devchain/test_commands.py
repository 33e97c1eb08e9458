"""Mining modes, pool, clock, edits, impersonation, snapshots and branches with a real worker."""

from typing import Any

import pytest
import pytest_twisted

from tests.signing import signed
from tests.sources.devchain.chains import ADDRESSES, ECHO_STORAGE, Chain, failure, running
from twisted_chainws import errors
from twisted_chainws.sources.devchain.codec import encode_hex

_ETHER = 10**18
_STRANGER = "0x" + "ab" * 20
_WORD = "0x" + "00" * 31 + "2a"
ensure = pytest_twisted.ensureDeferred


def _names(chain: Chain) -> list[str]:
    return [call[0] for call in chain.sink.calls]


@ensure
async def test_manual_mining_orders_by_tip_then_arrival() -> None:
    """A manual block takes the better tip first and equal tips by arrival."""
    async with running(mining=False) as chain:
        fees = {"maxFeePerGas": hex(10**11)}
        low = await chain.send(0, maxPriorityFeePerGas="0x1", **fees)
        same = await chain.send(1, maxPriorityFeePerGas="0x2", **fees)
        late = await chain.send(2, maxPriorityFeePerGas="0x2", **fees)
        high = await chain.send(3, maxPriorityFeePerGas="0x3", **fees)
        assert chain.height == 0
        await chain.ask("mine")
        mined = ["0x" + item.hash.hex() for item in chain.sink.chain[1].transactions]
        assert mined == [high, same, late, low]


@ensure
async def test_a_nonce_gap_waits_and_is_promoted() -> None:
    """A transaction ahead of its turn is queued; the missing one brings it along."""
    async with running() as chain:
        ahead = await chain.ask("send_raw", raw=signed(0, 1))
        assert chain.sink.calls == [("queued", ahead)]
        assert await chain.nonce(ADDRESSES[0], "pending") == 0
        first = await chain.ask("send_raw", raw=signed(0, 0))
        assert chain.sink.calls[1:] == [("pending", first), ("pending", ahead), ("publish", 1)]


@ensure
async def test_replacement_drops_the_old_one() -> None:
    """A tenth more replaces, less does not."""
    async with running(mining=False) as chain:
        old = await chain.ask("send_raw", raw=signed(0, 0, maxPriorityFeePerGas=10**9))
        poor = chain.ask("send_raw", raw=signed(0, 0, maxPriorityFeePerGas=10**9 + 1, value=2))
        assert isinstance(await failure(poor), errors.ReplacementUnderpriced)
        fees = {"maxPriorityFeePerGas": 2 * 10**9, "maxFeePerGas": 2 * 10**11}
        new = await chain.ask("send_raw", raw=signed(0, 0, **fees))
        assert chain.sink.calls == [("pending", old), ("dropped", old), ("pending", new)]
        again = chain.ask("send_raw", raw=signed(0, 0, **fees))
        assert isinstance(await failure(again), errors.AlreadyKnown)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"value": 10**30}, errors.InsufficientFunds),
        ({"maxPriorityFeePerGas": 0}, errors.Underpriced),
        ({"gas": 20_999}, errors.IntrinsicGasTooLow),
        ({"gas": 30_000_001}, errors.BlockGasLimitExceeded),
        ({"gas": 21_000, "maxFeePerGas": 10**14}, errors.FeeAboveLimit),
        ({"chainId": 1}, errors.WrongChainId),
        ({"data": "0x" + "01" * 140_000, "gas": 10_000_000}, errors.TransactionTooLarge),
    ],
)
@ensure
async def test_rejections(fields: dict[str, Any], error: type[Exception]) -> None:
    """What a geth pool refuses is refused, typed, and leaves no trace."""
    async with running() as chain:
        refused = await failure(chain.ask("send_raw", raw=signed(0, 0, **fields)))
        assert isinstance(refused, error)
        assert chain.sink.calls == []


@ensure
async def test_used_nonces_and_garbage_are_refused() -> None:
    """A used nonce names the next one; bytes that are no transaction say so."""
    async with running() as chain:
        await chain.ask("send_raw", raw=signed(0, 0))
        error = await failure(chain.ask("send_raw", raw=signed(0, 0, value=2)))
        assert isinstance(error, errors.NonceTooLow)
        assert (error.next_nonce, error.nonce) == (1, 0)
        garbage = await failure(chain.ask("send_raw", raw="0xdeadbeef"))
        assert isinstance(garbage, errors.TransactionRejected)


@ensure
async def test_pool_commands_drop() -> None:
    """Dropping by hash, by sender and altogether is told for each transaction."""
    async with running(mining=False) as chain:
        hashes = [await chain.send(sender) for sender in (0, 1, 1, 2)]
        assert await chain.ask("drop", hash=hashes[0]) == hashes[0]
        assert await chain.ask("drop", hash=hashes[0]) is None
        await chain.ask("remove_pool_transactions", address=ADDRESSES[1])
        await chain.ask("drop_all")
        assert [call for call in chain.sink.calls if call[0] == "dropped"] == [
            ("dropped", item) for item in hashes
        ]


@ensure
async def test_modes_switch() -> None:
    """Automine and interval mining exclude each other as the commands say."""
    async with running() as chain:
        assert await chain.ask("automine") is True
        await chain.ask("set_interval", seconds=60)
        assert await chain.ask("automine") is False
        assert await chain.ask("interval") == 60
        await chain.ask("set_automine", enabled=True)
        assert await chain.ask("interval") is None
        await chain.ask("set_automine", enabled=False)
        await chain.send()
        assert chain.height == 0


@ensure
async def test_time_commands() -> None:
    """Timestamps follow increase, command, interval and the commanded start of a mine."""
    async with running(seed=1, timestamp=1_000_000) as chain:
        assert await chain.ask("increase_time", seconds=100) == 100
        await chain.ask("mine")
        assert chain.sink.chain[-1].timestamp == 1_000_101
        await chain.ask("set_next_timestamp", timestamp=2_000_000)
        await chain.ask("mine", count=2)
        assert [block.timestamp for block in chain.sink.chain[-2:]] == [2_000_000, 2_000_001]
        low = chain.ask("set_next_timestamp", timestamp=5)
        assert isinstance(await failure(low), errors.TimestampTooLow)
        await chain.ask("set_next_timestamp", timestamp=2_000_001)
        await chain.ask("mine")
        assert chain.sink.chain[-1].timestamp == 2_000_001
        assert await chain.ask("set_timestamp_interval", seconds=10) is False
        await chain.ask("mine", count=2)
        assert chain.sink.chain[-1].timestamp == 2_000_021
        assert await chain.ask("set_timestamp_interval", seconds=None) is True
        await chain.ask("mine", count=3, interval_s=60, timestamp=3_000_000)
        stamps = [block.timestamp for block in chain.sink.chain[-3:]]
        assert stamps == [3_000_000, 3_000_060, 3_000_120]
        await chain.ask("set_time", timestamp=4_000_000)
        await chain.ask("mine")
        assert chain.sink.chain[-1].timestamp == 4_000_000


@ensure
async def test_edits_are_visible_at_once_and_under_the_next_block() -> None:
    """Balance, nonce, code and storage change at the head, and stay."""
    async with running() as chain:
        await chain.ask("set_balance", address=_STRANGER, value=hex(5))
        await chain.ask("add_balance", address=_STRANGER, value=hex(2))
        await chain.ask("set_nonce", address=_STRANGER, nonce=9)
        await chain.ask("set_code", address=_STRANGER, code="0x" + ECHO_STORAGE.hex())
        await chain.ask("set_storage", address=_STRANGER, slot="0x0", word=_WORD)
        for _ in range(2):
            assert await chain.balance(_STRANGER) == 7
            assert await chain.nonce(_STRANGER) == 9
            code = await chain.ask("code", address=_STRANGER, at=chain.head)
            assert code == "0x" + ECHO_STORAGE.hex()
            slot = "0x" + "00" * 32
            assert await chain.ask("storage", address=_STRANGER, slot=slot, at=chain.head) == _WORD
            values = await chain.ask("storage_values", slots={_STRANGER: [slot]}, at=chain.head)
            assert values == {_STRANGER: [_WORD]}
            await chain.ask("mine")


@ensure
async def test_header_commands() -> None:
    """Gas limit, coinbase, base fee, prevrandao and chain id reach the next block."""
    async with running() as chain:
        await chain.ask("set_block_gas_limit", limit=12_345_678)
        await chain.ask("set_coinbase", address=_STRANGER)
        await chain.ask("set_next_base_fee", value=hex(77))
        await chain.ask("set_prev_randao", value="0x" + "0d" * 32)
        await chain.ask("mine", count=2)
        first, second = (block.extras.header for block in chain.sink.chain[-2:])
        assert (first.gas_limit, first.base_fee_per_gas) == (12_345_678, 77)
        assert first.coinbase == bytes.fromhex("ab" * 20)
        assert first.mix_hash == bytes.fromhex("0d" * 32)
        assert second.mix_hash != first.mix_hash
        await chain.ask("set_chain_id", chain_id=5)
        assert (await chain.ask("node_info"))["chain_id"] == 5
        wrong = await failure(chain.ask("send_raw", raw=signed(0, 0)))
        assert isinstance(wrong, errors.WrongChainId)
        await chain.ask("send_raw", raw=signed(0, 0, chainId=5))


@ensure
async def test_impersonation() -> None:
    """Strangers send while impersonated, in any way, and never by raw bytes."""
    async with running() as chain:
        await chain.ask("set_balance", address=_STRANGER, value=hex(_ETHER))
        request = {"from": _STRANGER, "to": ADDRESSES[0], "value": "0x1"}
        unknown = await failure(chain.ask("send", transaction=request))
        assert isinstance(unknown, errors.UnknownAccount)
        await chain.ask("impersonate", address=_STRANGER)
        await chain.ask("send", transaction=request)
        assert chain.sink.chain[-1].transactions[0].sender == bytes.fromhex("ab" * 20)
        assert await chain.ask("stop_impersonating", address=_STRANGER) is True
        assert isinstance(
            await failure(chain.ask("send", transaction=request)), errors.UnknownAccount
        )
        await chain.ask("auto_impersonate", enabled=True)
        await chain.ask("send", transaction=request)
        await chain.ask("auto_impersonate", enabled=False)
        await chain.ask("send_unsigned", transaction=request)
        assert await chain.nonce(_STRANGER) == 3
        raw = "0x" + chain.sink.chain[-1].transactions[0].raw.hex()
        forged = await failure(chain.ask("send_raw", raw=raw))
        assert isinstance(forged, errors.InvalidSignature)


@ensure
async def test_snapshot_and_revert() -> None:
    """A revert brings back head, edits, pool and clock, once, and forgets later snapshots."""
    async with running(mining=False) as chain:
        await chain.ask("set_balance", address=_STRANGER, value="0x5")
        pooled = await chain.send()
        first = await chain.ask("snapshot")
        head = chain.head
        await chain.ask("set_balance", address=_STRANGER, value="0x6")
        await chain.ask("mine", count=2)
        later = await chain.ask("snapshot")
        await chain.ask("increase_time", seconds=1000)
        assert (first, later) == ("0x0", "0x1")
        assert await chain.ask("revert", id=first) is True
        assert chain.head == head
        assert await chain.balance(_STRANGER) == 5
        assert chain.sink.calls[-2:] == [("reorganise", 2, 0), ("pending", pooled)]
        assert (await chain.ask("node_info"))["time_offset"] == 0
        assert await chain.ask("revert", id=later) is False
        assert await chain.ask("revert", id=first) is False
        assert await chain.ask("snapshot") == "0x2"


@pytest.mark.parametrize("depth", [1, 3, 64])
@ensure
async def test_reorg_returns_transactions(depth: int) -> None:
    """The replaced transactions are pending again; new blocks have new hashes, same heights."""
    async with running() as chain:
        await chain.ask("mine", count=2)
        kept = chain.head
        sent = [await chain.send() for _ in range(depth)]
        old = [block.hash for block in chain.sink.chain]
        chain.sink.calls.clear()
        await chain.ask("reorg", depth=depth, transactions=[])
        assert chain.sink.calls[0] == ("reorganise", depth, depth)
        assert chain.sink.calls[1:] == [("pending", item) for item in sent]
        assert chain.height == 2 + depth
        assert "0x" + chain.sink.chain[2].hash.hex() == kept
        assert not set(old[3:]) & {block.hash for block in chain.sink.chain}
        await chain.ask("mine")
        assert len(chain.sink.chain[-1].transactions) == depth


@ensure
async def test_reorg_with_transactions() -> None:
    """Raw transactions and requests are placed by offset; the replaced ones that fit stay away."""
    async with running() as chain:
        first = await chain.send()
        raw = "0x" + chain.sink.chain[-1].transactions[0].raw.hex()
        await chain.ask("mine")
        request = {"from": ADDRESSES[1], "to": ADDRESSES[2], "value": "0x7"}
        chain.sink.calls.clear()
        await chain.ask("reorg", depth=2, transactions=[[request, 0], [raw, 1]])
        assert chain.sink.calls == [("reorganise", 2, 2)]
        assert chain.sink.chain[1].transactions[0].sender == bytes.fromhex(ADDRESSES[1][2:])
        assert "0x" + chain.sink.chain[2].transactions[0].hash.hex() == first
        deep = await failure(chain.ask("reorg", depth=3, transactions=[]))
        assert isinstance(deep, errors.ReorgTooDeep)
        assert (deep.height, deep.depth) == (2, 3)
        offset = await failure(chain.ask("reorg", depth=1, transactions=[[raw, 1]]))
        assert isinstance(offset, errors.InvalidReorg)
        broken = await failure(chain.ask("reorg", depth=1, transactions=[[signed(0, 7), 0]]))
        assert isinstance(broken, errors.InvalidReorg)
        assert chain.height == 2


@ensure
async def test_rollback_and_reset() -> None:
    """A rollback shortens the chain; a reset leaves genesis and the first balances."""
    async with running() as chain:
        sent = await chain.send()
        await chain.ask("mine", count=2)
        await chain.ask("rollback", depth=3)
        assert chain.height == 0
        assert chain.sink.calls[-2:] == [("reorganise", 3, 0), ("pending", sent)]
        deep = await failure(chain.ask("rollback", depth=1))
        assert isinstance(deep, errors.RollbackTooDeep)
        await chain.ask("mine")
        await chain.ask("set_balance", address=ADDRESSES[0], value="0x0")
        before = (await chain.ask("node_info"))["instance"]
        await chain.ask("reset")
        assert chain.height == 0
        assert await chain.balance(ADDRESSES[0]) == 10_000 * _ETHER
        assert (await chain.ask("node_info"))["instance"] != before
        await chain.send()
        assert chain.height == 1


@ensure
async def test_questions_about_the_pending_block() -> None:
    """The pending block holds the pool; state, calls and estimates can be asked on it."""
    async with running(mining=False) as chain:
        await chain.send(value=hex(5))
        block = await chain.ask("pending_block")
        assert (block.number, len(block.transactions)) == (1, 1)
        assert await chain.balance(ADDRESSES[9], "pending") == 10_000 * _ETHER + 5
        assert await chain.nonce(ADDRESSES[0], "pending") == 1
        assert await chain.balance(ADDRESSES[9]) == 10_000 * _ETHER
        call = {"from": ADDRESSES[0], "to": ADDRESSES[1], "value": "0x1"}
        assert await chain.ask("estimate", call=call, at="pending") == "0x5208"
        assert await chain.ask("call", call=call, at="pending") == "0x"
        assert chain.height == 0


@ensure
async def test_executions_and_proofs() -> None:
    """Overrides, access lists, proofs and failures come back in their shapes."""
    async with running() as chain:
        echo = await chain.place(ECHO_STORAGE)
        at = chain.head
        slot = "0x" + "00" * 32
        overrides = {echo: {"stateDiff": {slot: _WORD}}}
        found = await chain.ask("call", call={"to": echo}, at=at, state_overrides=overrides)
        assert found == _WORD
        listed = await chain.ask("access_list", call={"to": echo}, at=at)
        assert listed["accessList"] == [{"address": echo, "storageKeys": [slot]}]
        proof = await chain.ask("proof", address=echo, slots=[slot], at=at)
        assert proof["storageProof"] == [{"key": slot, "value": "0x0", "proof": []}]
        assert len(proof["accountProof"]) > 0
        revert = await chain.place(bytes.fromhex("5f5ffd"), "0x" + "c1" * 20)
        error = await failure(chain.ask("call", call={"to": revert}, at=at))
        assert isinstance(error, errors.ExecutionReverted)
        unknown = await failure(chain.ask("balance", address=echo, at="0x" + "99" * 32))
        assert isinstance(unknown, errors.UnknownBlockHash)
        assert unknown.block_hash == b"\x99" * 32


@ensure
async def test_keys_and_filling() -> None:
    """Accounts are listed, sign messages and typed data, and requests are completed."""
    async with running() as chain:
        assert await chain.ask("accounts") == list(ADDRESSES)
        request = {"from": ADDRESSES[0], "to": ADDRESSES[1], "value": "0x1"}
        filled = await chain.ask("fill", transaction=request)
        assert (filled["transaction"].type, filled["transaction"].gas_limit) == (2, 21_000)
        made = await chain.ask("sign_transaction", transaction=request)
        assert await chain.ask("send_raw", raw=made["raw"]) == encode_hex(made["transaction"].hash)
        signature = await chain.ask("sign", address=ADDRESSES[0], message="0x68656c6c6f")
        assert len(signature) == 132
        data = {
            "types": {"EIP712Domain": [], "Mail": [{"name": "text", "type": "string"}]},
            "primaryType": "Mail",
            "domain": {},
            "message": {"text": "hello"},
        }
        typed = await chain.ask("sign_typed_data", address=ADDRESSES[0], data=data)
        assert len(typed) == 132
        stranger = await failure(chain.ask("sign", address=_STRANGER, message="0x00"))
        assert isinstance(stranger, errors.UnknownAccount)
        assert set(await chain.ask("fees")) == {
            "next_base_fee",
            "blob_base_fee",
            "gas_price_minimum",
        }
