import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ontology.vectors import vectors
from tests.strategies import hash32
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ontology.address import decode_hash, sha256d
from twisted_chainws.dialects.ontology.merkle import (
    ZERO_HASH,
    BlockTree,
    hash_node,
    transactions_root,
    verify_proof,
)

LEAVES = [hash32("leaf", number) for number in range(40)]


def tree_of(leaves: Sequence[Hash32], size: int = 0) -> BlockTree:
    """Build a tree."""
    tree = BlockTree(size)
    for leaf in leaves:
        tree.append(leaf)
    return tree


def naive_root(leaves: Sequence[Hash32]) -> Hash32:
    """Split at the largest power of two below the number of leaves, and so on."""
    if len(leaves) < 2:
        return leaves[0] if leaves else ZERO_HASH
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return hash_node(naive_root(leaves[:half]), naive_root(leaves[half:]))


@pytest.mark.parametrize("sample", vectors("transactions_root"), ids=lambda it: it["count"])
def test_published_roots(sample: dict[str, Any]) -> None:
    """The roots of 0 to 3 transactions are the samples'."""
    hashes = [decode_hash(text) for text in sample["tx_hashes"]]
    assert transactions_root(hashes) == decode_hash(sample["root"])


def test_many_transactions() -> None:
    """Every level is filled up with its last hash."""
    one, two, three, four, five = LEAVES[:5]
    right = sha256d(sha256d(five + five) * 2)
    left = sha256d(sha256d(one + two) + sha256d(three + four))
    assert transactions_root(LEAVES[:5]) == sha256d(left + right)
    assert transactions_root(LEAVES[:5]) == transactions_root([*LEAVES[:5], five])


def sample_leaf(index: int) -> Hash32:
    """Return a leaf of the samples."""
    return Hash32(hashlib.sha256(f"leaf{index}".encode()).digest())


@pytest.mark.parametrize(
    "sample",
    vectors("block_merkle")["proofs"],
    ids=lambda it: f"{it['BlockHeight']} of {it['CurBlockHeight']}",
)
def test_published_proofs(sample: dict[str, Any]) -> None:
    """The tree makes the sample proofs, and they are right."""
    index, last = sample["BlockHeight"], sample["CurBlockHeight"]
    tree = tree_of([sample_leaf(number) for number in range(last + 1)])
    leaf, root = decode_hash(sample["TransactionsRoot"]), decode_hash(sample["CurBlockRoot"])
    proof = tuple(decode_hash(text) for text in sample["TargetHashes"] or ())
    assert leaf == sample_leaf(index)
    assert tree.root() == root
    assert tree.proof(index) == proof
    assert verify_proof(leaf, index, last, proof, root)


@given(st.integers(1, 40), st.data())
def test_wrong_proofs(size: int, data: st.DataObject) -> None:
    """A proof is right for its own leaf and root only, and has no hash more or less."""
    tree = tree_of(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    proof, root = tree.proof(index), tree.root()
    assert verify_proof(LEAVES[index], index, size - 1, proof, root)
    assert not verify_proof(ZERO_HASH, index, size - 1, proof, root)
    assert not verify_proof(LEAVES[index], index, size - 1, proof, ZERO_HASH)
    assert not verify_proof(LEAVES[index], index, size - 1, (*proof, ZERO_HASH), root)
    assert not verify_proof(LEAVES[index], size, size - 1, proof, root)
    if proof:
        assert not verify_proof(LEAVES[index], index, size - 1, proof[:-1], root)


@given(st.integers(0, 20), st.integers(0, 20))
def test_root(below: int, count: int) -> None:
    """The root is that of all leaves; unknown ones below are zero."""
    tree = tree_of(LEAVES[:count], below)
    leaves = [ZERO_HASH] * below + LEAVES[:count]
    assert tree.size == len(leaves)
    assert tree.root() == naive_root(leaves)
    for index in range(below, below + count):
        proof = tree.proof(index)
        assert verify_proof(leaves[index], index, len(leaves) - 1, proof, tree.root())


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_pop_is_exact(below: int, kept: int, more: int) -> None:
    """Taking leaves away leaves the tree as it was before them."""
    tree = tree_of(LEAVES[:kept], below)
    before = tree.nodes()
    for leaf in LEAVES[kept : kept + more]:
        tree.append(leaf)
    for _ in LEAVES[kept : kept + more]:
        tree.pop()
    assert (tree.nodes(), tree.size) == (before, below + kept)


@given(st.integers(0, 20), st.integers(1, 40), st.data())
def test_pruning(below: int, count: int, data: st.DataObject) -> None:
    """A pruned tree still proves what it keeps, also after losing and getting leaves."""
    tree, whole = tree_of(LEAVES[:count], below), tree_of(LEAVES[:count], below)
    oldest = data.draw(st.integers(below, below + count - 1))
    for number in range(below, oldest + 1):
        tree.prune(number)
    for _ in range(data.draw(st.integers(0, tree.size - oldest - 1))):
        tree.pop()
        whole.pop()
    for leaf in LEAVES[: data.draw(st.integers(0, 10))]:
        tree.append(leaf)
        whole.append(leaf)
    assert tree.root() == whole.root()
    for index in range(oldest, tree.size):
        assert tree.proof(index) == whole.proof(index)


def test_pruned_tree_is_small() -> None:
    """What is kept of a long chain is little more than its end."""
    tree = BlockTree()
    for number in range(5_000):
        tree.append(LEAVES[number % 40])
        tree.prune(max(0, number - 15))
    assert sum(map(len, tree.nodes())) < 80


@pytest.mark.parametrize("index", [-1, 5, 6])
def test_no_such_leaf(index: int) -> None:
    """There is no proof of a leaf that the tree does not have."""
    with pytest.raises(KeyError):
        tree_of(LEAVES[:5]).proof(index)


def test_pruned_leaf() -> None:
    """There is no proof of a leaf that is no longer kept."""
    tree = tree_of(LEAVES[:5])
    for oldest in range(5):
        tree.prune(oldest)
    with pytest.raises(KeyError):
        tree.proof(0)
