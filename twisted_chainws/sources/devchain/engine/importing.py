"""Bringing in the blocks of an existing chain, each one run again by the rules of its fork.

A file holds blocks as RLP, one after the other, oldest first, as ``geth export`` writes it. Blocks
that are kept already are skipped, so that an interrupted import goes on where it ended. Everything
a header says is checked except the seal: neither work nor stake is.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import rlp
from eth.abc import BlockAPI, BlockHeaderAPI, ReceiptAPI
from eth.db.trie import make_trie_root_and_nodes
from eth.exceptions import PyEVMError
from eth.vm.forks.cancun.state import get_total_blob_gas
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBackwardsHeader
from eth_utils import ValidationError
from rlp.exceptions import RLPException

from twisted_chainws.chain.forks import GAS_PER_BLOB, Fork
from twisted_chainws.errors import InvalidControl
from twisted_chainws.sources.devchain.engine import convert
from twisted_chainws.sources.devchain.engine.checks import MAX_TRANSACTION_BLOBS
from twisted_chainws.sources.devchain.engine.head import DevChain, next_excess
from twisted_chainws.sources.devchain.engine.osaka import MAX_BLOCK_BYTES
from twisted_chainws.sources.devchain.engine.store import BlockStore
from twisted_chainws.sources.devchain.engine.vm import DevVM

COMMIT_BLOCKS: Final = 100
COMMIT_GAS: Final = 20_000_000
"""After so many blocks or so much gas what came in is written, and told."""

_SHORT_LIST, _LONG_LIST = 0xC0, 0xF7

Report = Callable[[int], object]


def import_chain(store: BlockStore, path: str, report: Report) -> int:
    """Bring in the blocks of a file on top of the head and commit them.

    Args:
        store: whose head the first new block follows.
        path: of the file.
        report: told the number of the head from time to time.

    Returns:
        How many blocks were new.

    Raises:
        InvalidControl: one line that names file and block and what was expected. What came before
            that block is kept.
    """
    try:
        with Path(path).open("rb") as stream:
            return _Import(store, path, report).take(stream)
    except OSError as error:
        reason = f"import {path}: cannot read it: {error.strerror}"
        raise InvalidControl(reason=reason) from error


class _Import:
    """One run over one file."""

    def __init__(self, store: BlockStore, path: str, report: Report) -> None:
        self._store = store
        self._path = path
        self._report = report
        self._count = self._waiting = self._gas = 0

    def take(self, stream: BinaryIO) -> int:
        position = 1
        try:
            for raw in read_items(stream):
                self._take(raw)
                position += 1
        except (ValidationError, PyEVMError, RLPException, ValueError) as error:
            # The block that failed has left nodes of its tries at most, to which nothing leads.
            self._commit()
            place = f"import {self._path}: item {position}, after block {self._store.height}"
            raise InvalidControl(reason=f"{place}: {' '.join(str(error).split())}") from error
        self._commit()
        return self._count

    def _take(self, raw: bytes) -> None:
        header = decode_header(raw)
        store = self._store
        if store.is_kept(header.hash):
            return
        if header.parent_hash != store.head_hash:
            raise ValueError(
                f"expected the child of block {store.height}, 0x{store.head_hash.hex()}; "
                f"the parent of block {header.block_number} is 0x{header.parent_hash.hex()}"
            )
        store.keep_executed(*run_block(store.chain, raw, header, store.head))
        store.set_head(header.hash)
        self._count, self._waiting = self._count + 1, self._waiting + 1
        self._gas += header.gas_used
        if self._waiting >= COMMIT_BLOCKS or self._gas >= COMMIT_GAS:
            self._commit()

    def _commit(self) -> None:
        self._store.commit()
        if self._waiting:
            self._report(self._store.height)
        self._waiting = self._gas = 0


def read_items(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the RLP lists of a stream, one after the other, each with its prefix.

    Raises:
        ValueError: something else stands there, or the last one is cut short.
    """
    while first := stream.read(1):
        kind = first[0]
        if kind < _SHORT_LIST:
            raise ValueError("expected an RLP list")
        digits = stream.read(max(kind - _LONG_LIST, 0))
        length = int.from_bytes(digits, "big") if digits else kind - _SHORT_LIST
        item = stream.read(length)
        if len(digits) != max(kind - _LONG_LIST, 0) or len(item) != length:
            raise ValueError("the file ends in the middle of it")
        yield first + digits + item


def decode_header(raw: bytes) -> BlockHeaderAPI:
    """Return the header of an encoded block of any fork.

    Raises:
        ValueError: it is none.
        RLPException: it is none.
    """
    parts = rlp.decode(raw)
    if not parts or not isinstance(parts[0], list):
        raise ValueError("expected a block")
    header: BlockHeaderAPI = PragueBackwardsHeader.deserialize(parts[0])
    return header


def run_block(
    chain: DevChain, raw: bytes, header: BlockHeaderAPI, parent: BlockHeaderAPI
) -> tuple[BlockAPI, Sequence[ReceiptAPI]]:
    """Run a block on its parent and compare what comes out with what its header says.

    Args:
        chain: whose database takes the new state, transactions and receipts.
        raw: the encoded block.
        header: decoded from it.
        parent: of the block.

    Raises:
        ValidationError: a rule of the fork is broken, or the header says something else.
        PyEVMError: a transaction cannot run.
        RLPException: the block has not the shape of its fork.
    """
    fork = chain.fork(header)
    block = rlp.decode(raw, sedes=chain.vm_class(fork).get_block_class())
    _check_header(chain, fork, header, parent)
    _check_body(fork, block, len(raw))
    chain.validate_uncles(block)
    made, receipts = _run(chain, block, parent)
    # The state goes last: it differs whenever something else does, and tells least.
    for name in sorted(header._meta.field_names, key="state_root".__eq__):  # noqa: SLF001
        expected, found = getattr(header, name), getattr(made, name)
        if expected != found:
            raise ValidationError(f"{name}: expected {_show(expected)}, computed {_show(found)}")
    return block, receipts


def _show(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _check_header(
    chain: DevChain, fork: Fork, header: BlockHeaderAPI, parent: BlockHeaderAPI
) -> None:
    machine = chain.vm_class(fork)
    if fork.has("paris"):
        expected: dict[str, int] = {"difficulty": 0}
    else:
        expected = {"difficulty": machine.compute_difficulty(parent, header.timestamp)}
    if chain.fork(parent).has("london"):
        expected["base_fee_per_gas"] = convert.next_base_fee(parent)
    if fork.blobs is not None:
        expected["excess_blob_gas"] = next_excess(fork, parent)
    for name, value in expected.items():
        if getattr(header, name) != value:
            raise ValidationError(f"{name}: expected {value}, got {getattr(header, name)}")
    # A development chain may do more than the public rules allow; blocks from elsewhere may not.
    strict = PragueVM if issubclass(machine, DevVM) else machine
    strict.validate_header(header, parent)


def _check_body(fork: Fork, block: BlockAPI, size: int) -> None:
    blobs = [get_total_blob_gas(item) // GAS_PER_BLOB for item in block.transactions]
    if fork.blobs is not None and sum(blobs) > fork.blobs.most:
        raise ValidationError(f"expected at most {fork.blobs.most} blobs, got {sum(blobs)}")
    if not fork.has("osaka"):
        return
    if size > MAX_BLOCK_BYTES:
        raise ValidationError(f"expected at most {MAX_BLOCK_BYTES} bytes, got {size}")
    if max(blobs, default=0) > MAX_TRANSACTION_BLOBS:
        raise ValidationError(f"expected at most {MAX_TRANSACTION_BLOBS} blobs in a transaction")


def _run(
    chain: DevChain, block: BlockAPI, parent: BlockHeaderAPI
) -> tuple[BlockHeaderAPI, Sequence[ReceiptAPI]]:
    """Return the header that comes out, and the receipts."""
    header, withdrawals = block.header, getattr(block, "withdrawals", ())
    used = {"blob_gas_used": 0} if hasattr(header, "blob_gas_used") else {}
    blank = header.copy(state_root=parent.state_root, gas_used=0, bloom=0, **used)
    vm = chain.get_vm(blank)
    vm._block = block.copy(header=blank)  # noqa: SLF001 - else it looks for the transactions
    vm.block_preprocessing(block)
    header, receipts, _ = vm.apply_all_transactions(block.transactions, blank)
    vm.apply_all_withdrawals(withdrawals)
    roots = {
        "transaction_root": _keep(chain, block.transactions),
        "receipt_root": _keep(chain, receipts),
        "uncles_hash": chain.chaindb.persist_uncles(block.uncles),
    }
    if hasattr(block, "withdrawals"):
        roots["withdrawals_root"] = _keep(chain, withdrawals)
    if hasattr(vm, "look_for_deposits_in"):
        vm.look_for_deposits_in(receipts)
    filled = vm.block_postprocessing(block.copy(header=header.copy(**roots)))
    made: BlockHeaderAPI = vm.finalize_block(filled).block.header
    return made, receipts


def _keep(chain: DevChain, items: Sequence[Any]) -> bytes:
    root, nodes = make_trie_root_and_nodes(tuple(items))
    chain.chaindb.persist_trie_data_dict(nodes)
    return bytes(root)
