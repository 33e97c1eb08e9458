"""Proofs, walked by a verifier that shares no code with the trie library."""

from pathlib import Path

import rlp
from eth_utils import keccak

from tests.sources.devchain.engine.building import ALICE, CAROL, CLEARS, STORE, mine, transaction
from tests.sources.devchain.engine.driving import driven
from tests.sources.devchain.engine.ont_sending import STRANGER, ont_transfer, submit
from tests.sources.devchain.engine.ont_states import UNIT
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS
from twisted_chainws.sources.devchain.engine.ont_ledger import balance_slot

BLANK_ROOT = keccak(rlp.encode(b""))


def nibbles(data: bytes) -> list[int]:
    """Split bytes into half-bytes."""
    return [half for byte in data for half in (byte >> 4, byte & 15)]


def verify(root: bytes, key: bytes, proof: tuple[bytes, ...]) -> bytes | None:
    """Walk a Merkle Patricia proof; the value, or None when absence is proven.

    Raises:
        AssertionError: the proof does not hold together.
    """
    path, expected, remaining = nibbles(keccak(key)), root, list(proof)
    if not remaining:
        assert root == BLANK_ROOT
        return None
    node = rlp.decode(remaining.pop(0))
    assert keccak(rlp.encode(node)) == expected
    while True:
        if len(node) == 17:
            if not path:
                return node[16] or None
            child, path = node[path[0]], path[1:]
        else:
            flag, rest = node[0][0] >> 4, nibbles(node[0])[2:]
            rest = nibbles(node[0])[1:] if flag & 1 else rest
            if path[: len(rest)] != rest:
                assert not remaining
                return None
            path = path[len(rest) :]
            if flag & 2:
                assert not remaining
                return node[1] if not path else None
            child = node[1]
        if child == b"":
            assert not remaining
            return None
        if isinstance(child, list):
            node = child
            continue
        node = rlp.decode(remaining.pop(0))
        assert keccak(rlp.encode(node)) == child


def test_proofs_of_present_and_absent_things_verify(engine: Engine) -> None:
    """Accounts and slots, there or not, are proven against the header's state root."""
    block = mine(engine, transaction(nonce=0))
    root = block.extras.header.state_root
    for address in (ALICE, CAROL, STORE, CLEARS, b"\x77" * 20):
        slots = [0, 1, 9, 10, 2**256 - 1]
        proof = engine.proof(address, slots, block.hash)
        value = verify(root, address, proof.proof)
        reader = engine.read(block.hash)
        if value is None:
            assert address == b"\x77" * 20
            assert (proof.balance, proof.nonce) == (0, 0)
        else:
            balance, storage, code = rlp.decode(value)[1:]
            assert int.from_bytes(balance, "big") == proof.balance == reader.balance(address)
            assert (storage, code) == (proof.storage_hash, proof.code_hash)
        assert proof.nonce == reader.nonce(address)
        assert proof.code_hash == keccak(reader.code(address))
        for item in proof.storage:
            encoded = verify(proof.storage_hash, item.slot.to_bytes(32, "big"), item.proof)
            word = int.from_bytes(rlp.decode(encoded), "big") if encoded else 0
            assert word == item.value == reader.storage(address, item.slot)
    assert engine.proof(CAROL, [0], block.hash).storage[0].proof == ()


def test_a_proof_after_an_edit_is_against_the_edited_root(engine: Engine) -> None:
    """Edits are proven against the edited root, and against the header after the next block."""
    engine.edit(lambda state: state.set_balance(CAROL, 123))
    head = engine.head_hash
    assert verify(engine.root(head), CAROL, engine.proof(CAROL, [], head).proof)
    block = mine(engine)
    proof = engine.proof(CAROL, [], block.hash)
    assert verify(block.extras.header.state_root, CAROL, proof.proof)
    assert proof.balance == 123


def test_proofs_of_tokens(tmp_path: Path) -> None:
    """ONT is proven like any storage, against the root that the header of its block has."""
    with driven(tmp_path) as node:
        submit(node, ont_transfer())
        slot = balance_slot(STRANGER)
        proof = node.ask(
            "proof", address=encode_hex(LEDGER_ADDRESS), slots=[hex(slot)], at=node.head
        )
        root = node.hub.engine.head.state_root
        account = verify(root, LEDGER_ADDRESS, _nodes(proof["accountProof"]))
        assert account is not None
        (stored,) = proof["storageProof"]
        assert stored["value"] == hex(5 * UNIT)
        found = verify(rlp.decode(account)[2], slot.to_bytes(32, "big"), _nodes(stored["proof"]))
        assert found == rlp.encode(5 * UNIT)


def _nodes(items: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(item[2:]) for item in items)
