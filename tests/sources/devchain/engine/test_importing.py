"""The published chain comes in block by block, and whatever is wrong with a block is told."""

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rlp
from eth_typing import Address
from eth_utils import ValidationError

from tests.sources.devchain.engine import building
from tests.sources.devchain.engine.building import transaction
from tests.sources.devchain.engine.ont_sending import address, ong_transfer
from tests.sources.devchain.engine.ont_states import COIN
from tests.sources.devchain.published import CHAIN_FILE, DATA, HEAD, imported, published_genesis
from twisted_chainws.chain.forks import PRAGUE_BLOBS, Fork
from twisted_chainws.dialects.ontology.transaction import encode_transaction
from twisted_chainws.errors import InvalidControl, Unsupported
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.importing import (
    _check_body,
    import_chain,
    read_items,
)
from twisted_chainws.sources.devchain.engine.ont_transactions import decode_ontology
from twisted_chainws.sources.devchain.genesis import GenesisAccount

BLOCKS = list(read_items(io.BytesIO(CHAIN_FILE.read_bytes())))
STATE = json.loads((DATA / "headstate.json").read_text())


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Give the published chain, imported; nobody may change it."""
    return imported(tmp_path_factory.mktemp("published"))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Give the published chain at its genesis."""
    return Engine.open(str(tmp_path / "chain"), published_genesis())


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a database for each block that a test puts a wrong one upon."""
    folder = tmp_path_factory.mktemp("stages")
    engine = Engine.open(str(folder / "chain"), published_genesis())
    for number, _, _ in WRONG:
        take(engine, BLOCKS[: number - 1], folder / "file")
        engine.close()
        shutil.copy(folder / "chain", folder / str(number))
        engine = Engine.open(str(folder / "chain"), published_genesis())
    engine.close()
    return folder


def take(engine: Engine, blocks: list[bytes], path: Path, told: list[int] | None = None) -> int:
    """Import encoded blocks through a file."""
    path.write_bytes(b"".join(blocks))
    return import_chain(engine, str(path), (told if told is not None else []).append)


def test_every_block_comes_out_as_its_header_says(published: Engine) -> None:
    """All 54 blocks of every fork up to BPO2 are there, with uncles and withdrawals."""
    assert published.height == HEAD
    assert [published.raw_block(published.canonical_hash(n)) for n in range(1, HEAD + 1)] == BLOCKS
    blocks = [published.block(published.canonical_hash(n)) for n in range(HEAD + 1)]
    assert sum(len(block.extras.uncles) for block in blocks) == 18
    assert sum(len(block.extras.withdrawals or ()) for block in blocks) == 6
    assert sum(len(block.transactions) for block in blocks) == 249
    roots = [receipt.state_root is not None for block in blocks for receipt in block.receipts]
    assert sum(roots) == sum(len(block.transactions) for block in blocks[:9])
    published._blocks.clear()
    assert [published.block(block.hash) for block in blocks] == blocks


@pytest.mark.parametrize("address", list(STATE["accounts"]))
def test_the_state_at_the_head(published: Engine, address: str) -> None:
    """Each account of the published dump has its balance, nonce, code, storage and root."""
    dumped, at = STATE["accounts"][address], published.head_hash
    account = bytes.fromhex(dumped["address"][2:])
    reader = published.read(at)
    assert reader.balance(account) == int(dumped["balance"])
    assert reader.nonce(account) == dumped["nonce"]
    assert reader.code(account) == bytes.fromhex(dumped.get("code", "0x")[2:])
    for slot, word in dumped.get("storage", {}).items():
        assert reader.storage(account, int(slot, 16)) == int(word, 16)
    proof = published.proof(account, [], at)
    assert proof.storage_hash == bytes.fromhex(dumped["root"][2:])
    assert proof.code_hash == bytes.fromhex(dumped["codeHash"][2:])


def test_the_dump_is_of_the_head(published: Engine) -> None:
    """The dump names the state root of the last header."""
    assert bytes(published.head.state_root).hex() == STATE["root"].removeprefix("0x")


def test_a_second_import_skips_what_is_there(engine: Engine, tmp_path: Path) -> None:
    """An import that was interrupted goes on where it ended; the head is told as it moves."""
    told: list[int] = []
    assert take(engine, BLOCKS[:7], tmp_path / "file", told) == 7
    assert told == [2, 7]
    assert take(engine, BLOCKS[:12], tmp_path / "file", told) == 5
    assert take(engine, BLOCKS[:12], tmp_path / "file", told) == 0
    assert told == [2, 7, 12]
    assert engine.height == 12


def changed(number: int, field: int, value: Any) -> bytes:
    """Return a block with one field of its header replaced."""
    parts = rlp.decode(BLOCKS[number - 1])
    parts[0][field] = value
    return bytes(rlp.encode(parts))


def body(number: int, part: int, value: Any) -> bytes:
    """Return a block with its transactions (1), uncles (2) or withdrawals (3) replaced."""
    parts = rlp.decode(BLOCKS[number - 1])
    parts[part] = value
    return bytes(rlp.encode(parts))


def uncles_of(number: int) -> Any:
    """Return the encoded uncles of a block."""
    return rlp.decode(BLOCKS[number - 1])[2]


WRONG = [
    (3, changed(3, 3, b"\x01" * 32), "state_root: expected 0x0101"),
    (3, changed(3, 4, b"\x01" * 32), "transaction_root: expected 0x0101"),
    (3, changed(3, 5, b"\x01" * 32), "receipt_root: expected 0x0101"),
    (3, changed(3, 6, b"\x01" * 256), "bloom: expected "),
    (3, changed(3, 10, b"\x01"), "gas_used: expected 1, computed "),
    (3, changed(3, 7, b"\x09"), "difficulty: expected 1"),
    (3, changed(3, 8, b"\x09"), "Blocks must be numbered consecutively"),
    (3, changed(3, 9, b"\x09"), "The gas limit 9 is too low"),
    (3, changed(3, 11, b"\x09"), "Header.timestamp 9 is not greater than 20"),
    (3, changed(3, 12, b"\x09" * 33), "BlockHeader.extra_data"),
    (3, changed(3, 0, b"\x09" * 32), "expected the child of block 2, 0x"),
    (3, body(3, 2, []), "Header suggests block should have uncles but block has none"),
    (3, body(3, 1, []), "transaction_root: expected"),
    (3, BLOCKS[41], "expected the child of block 2"),
    (5, body(5, 2, uncles_of(4)), "Block has uncles but header suggests"),
    (28, changed(28, 15, b"\x01"), "base_fee_per_gas: expected"),
    (37, changed(37, 7, b"\x01"), "difficulty: expected 0"),
    (39, body(39, 3, []), "withdrawals_root: expected"),
    (43, changed(43, 18, b"\x01"), "excess_blob_gas: expected 0, got 1"),
    (43, changed(43, 17, b"\x01"), "blob_gas_used: expected 1"),
    (46, changed(46, 9, b"\x09"), "The gas limit 9 is too low"),
    (46, changed(46, 11, b"\x01\xc2"), "timestamp must be strictly later"),
    (46, changed(46, 20, b"\x01" * 32), "requests_hash: expected 0x0101"),
]
"""Number of a block, what stands in its place, and what is wrong with that; in order."""


@pytest.mark.parametrize(("number", "block", "reason"), WRONG)
def test_a_wrong_block_is_refused(
    stages: Path, tmp_path: Path, number: int, block: bytes, reason: str
) -> None:
    """File, place and what was expected are told; the blocks before it are kept."""
    shutil.copy(stages / str(number), tmp_path / "chain")
    engine = Engine.open(str(tmp_path / "chain"), published_genesis())
    with pytest.raises(InvalidControl) as caught:
        take(engine, [block], tmp_path / "wrong")
    place = f"import {tmp_path / 'wrong'}: item 1, after block {number - 1}: "
    assert caught.value.reason.startswith(place + reason)
    assert engine.height == number - 1
    assert take(engine, BLOCKS[:number], tmp_path / "right") == 1


def test_what_came_before_a_wrong_block_is_kept(engine: Engine, tmp_path: Path) -> None:
    """The next start goes on from there, whatever the wrong block has left behind."""
    wrong = [*BLOCKS[:5], changed(6, 3, b"\x01" * 32)]
    with pytest.raises(InvalidControl, match="item 6, after block 5: state_root: expected"):
        take(engine, wrong, tmp_path / "file")
    engine.close()
    again = Engine.open(str(tmp_path / "chain"), published_genesis())
    assert again.height == 5
    assert take(again, BLOCKS[:9], tmp_path / "file") == 4
    again.close()


@pytest.mark.parametrize(
    ("fork", "blobs", "size", "reason"),
    [
        ("prague", [6, 3], 10**9, None),
        ("prague", [6, 4], 100, "expected at most 9 blobs, got 10"),
        ("osaka", [6, 3], 8 << 20, None),
        ("osaka", [7], 100, "expected at most 6 blobs in a transaction"),
        ("osaka", [], (8 << 20) + 1, "expected at most 8388608 bytes, got 8388609"),
    ],
)
def test_the_bounds_of_a_body(fork: str, blobs: list[int], size: int, reason: str | None) -> None:
    """Blobs of a block, of a transaction (EIP-7594) and bytes (EIP-7934) are bounded."""
    rules = Fork(name=fork, rules=fork, start=0, timed=True, blobs=PRAGUE_BLOBS)
    senders = [SimpleNamespace(blob_versioned_hashes=(b"",) * count) for count in blobs]
    block: Any = SimpleNamespace(transactions=senders)
    if reason is None:
        _check_body(rules, block, size)
    else:
        with pytest.raises(ValidationError, match=reason):
            _check_body(rules, block, size)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x05", "item 1, after block 0: expected an RLP list"),
        (BLOCKS[0] + BLOCKS[1][:-1], "item 2, after block 1: the file ends in the middle of it"),
        (BLOCKS[0][:2], "item 1, after block 0: the file ends in the middle of it"),
        (b"\xc1\x05", "item 1, after block 0: expected a block"),
        (b"\xc2\xc1\x05", "item 1, after block 0: "),
        (body(1, 2, [[]]), "item 1, after block 0: "),
    ],
)
def test_what_is_no_block(engine: Engine, tmp_path: Path, content: bytes, reason: str) -> None:
    """A file of something else, or one that was cut short, is refused at that place."""
    with pytest.raises(InvalidControl) as caught:
        take(engine, [content], tmp_path / "file")
    assert caught.value.reason.startswith(f"import {tmp_path / 'file'}: {reason}")


def test_a_file_that_cannot_be_read(engine: Engine, tmp_path: Path) -> None:
    """The system's reason is told."""
    with pytest.raises(InvalidControl, match="cannot read it: No such file"):
        import_chain(engine, str(tmp_path / "absent"), print)


@pytest.mark.parametrize(
    ("number", "gas"), [(1, 21_068), (8, 21_068), (18, 21_016), (44, 21_016), (45, 21_040)]
)
def test_calls_follow_the_rules_of_their_block(published: Engine, number: int, gas: int) -> None:
    """A byte of data costs 68 gas, 16 from Istanbul on, and 40 at least from Prague on."""
    call = {"to": "0x" + "11" * 20, "data": "0x01"}
    at = published.canonical_hash(number)
    assert gas <= published.estimate(call, at, gas_cap=10**7) <= gas * 1.015
    assert published.access_list(call, at, gas_cap=10**7).gas_used == gas
    assert published.call(call, at, gas_cap=10**7) == b""


@pytest.mark.parametrize(
    ("code", "since"),
    [
        ("3d", 9),  # RETURNDATASIZE, Byzantium
        ("60016001901b", 12),  # SHL, Constantinople
        ("46", 18),  # CHAINID, Istanbul
        ("48", 27),  # BASEFEE, London
        ("5f", 39),  # PUSH0, Shanghai
        ("60005c", 42),  # TLOAD, Cancun
        ("60011e", 48),  # CLZ, Osaka
    ],
)
def test_opcodes_begin_with_their_fork(published: Engine, code: str, since: int) -> None:
    """A call at the block before a fork does not know its opcode, a call in the first does."""
    call = {"to": None, "data": "0x" + code + "00"}
    before, first = (published.canonical_hash(number) for number in (since - 1, since))
    with pytest.raises(Exception, match="invalid opcode"):
        published.call(call, before, gas_cap=10**7)
    assert published.call(call, first, gas_cap=10**7) == b""


def test_mining_goes_on_under_the_newest_rules(tmp_path: Path) -> None:
    """A block on top of the last one is a BPO2 block, with its predecessor's gas limit."""
    engine = imported(tmp_path)
    fields: dict[str, Any] = {"gas_limit": 10**8, "coinbase": bytes(20), "mix_hash": bytes(32)}
    draft = engine.draft(engine.head_hash, timestamp=600, **fields)
    assert draft.blob_gas_left == 21 * 131_072
    block = draft.seal()
    engine.set_head(block.hash)
    engine.commit()
    assert engine.height == HEAD + 1
    assert engine.chain.fork(engine.head).name == "bpo2"
    assert engine.block(block.hash).extras.header.requests_hash is not None


def test_old_rules_make_no_blocks(engine: Engine) -> None:
    """A block before Prague is only ever imported."""
    fields: dict[str, Any] = {"gas_limit": 10**8, "coinbase": bytes(20), "mix_hash": bytes(32)}
    with pytest.raises(Unsupported, match="blocks are not made by the rules of homestead"):
        engine.draft(engine.head_hash, timestamp=10, **fields)


def test_no_account_is_added_to_a_foreign_genesis(engine: Engine) -> None:
    """The ledger of a development chain is not there."""
    assert engine.read(engine.head_hash).nonce(Address(bytes(19) + b"\x01")) == 0
    assert transaction().chain_id != engine.chain_id


def test_a_block_with_tokens_in_it_cannot_be_imported(tmp_path: Path) -> None:
    """Ethereum's form of a block does not hold them: its state is another one, which is said."""
    rich: dict[bytes, GenesisAccount] = {address(): GenesisAccount(balance=COIN)}
    source = Engine.open(str(tmp_path / "source"), building.genesis(rich))
    draft = source.draft(
        source.head_hash,
        timestamp=source.head.timestamp + 12,
        gas_limit=source.head.gas_limit,
        coinbase=bytes(20),
        mix_hash=bytes(32),
    )
    native = decode_ontology(encode_transaction(ong_transfer(gas_price=0)), deadline=0)
    draft.native(native.operation())
    source.set_head(draft.seal().hash)
    (tmp_path / "blocks").write_bytes(source.raw_block(source.head_hash))
    target = Engine.open(str(tmp_path / "target"), building.genesis(rich))
    with pytest.raises(InvalidControl, match="state_root: expected"):
        import_chain(target, str(tmp_path / "blocks"), lambda _: None)
    assert target.height == 0
    source.close()
    target.close()
