"""The node: tables, attaching, reopening."""

import io
from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.driving import ADDRESSES, NOW, driven
from tests.sources.devchain.engine.ont_sending import (
    STRANGER,
    address,
    ong_transfer,
    ont_transfer,
    owned,
    submit,
)
from tests.sources.devchain.published import (
    CHAIN_FILE,
    GENESIS_FILE,
    HEAD,
    published_genesis,
)
from twisted_chainws.errors import AlreadyMined, ExecutionFailed, InvalidControl
from twisted_chainws.sources.devchain.codec import decode_block, encode_hex
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS
from twisted_chainws.sources.devchain.engine.importing import read_items
from twisted_chainws.sources.devchain.engine.node import Node
from twisted_chainws.sources.devchain.genesis import decode_forks
from twisted_chainws.sources.devchain.methods import READS, WRITES
from twisted_chainws.sources.devchain.settings import DevchainSettings
from twisted_chainws.sources.devchain.wallet import ont_shares


def test_every_word_has_a_handler(tmp_path: Path) -> None:
    """The tables hold exactly the words of the pipe."""
    with driven(tmp_path) as node:
        assert set(node.node._read_table) == READS
        assert set(node.node._commands) | set(node.node._instant) == WRITES


def test_attaching_tells_what_was_missed(tmp_path: Path) -> None:
    """A new parent gets all blocks, an old one those above its newest canonical hash."""
    with driven(tmp_path) as node:
        first = node.node.attach([])
        assert [decode_block(block).timestamp for block in first["blocks"]] == [NOW]
        assert (first["automine"], first["interval_s"]) == (True, None)
        known = [node.head]
        node.ask("mine", count=2)
        again = node.node.attach(["0x" + "99" * 32, *known])
        assert again["ancestor"] == known[0]
        assert [block["number"] for block in again["applied"]] == [1, 2]
        with pytest.raises(InvalidControl):
            node.node.attach(["0x" + "99" * 32])


def test_a_reopened_file_goes_on(tmp_path: Path) -> None:
    """Head, pool order and control state are what they were."""
    with driven(tmp_path, mining=False) as node:
        node.ask("mine")
        hashes = [node.send(sender) for sender in (3, 1, 2)]
        node.ask("drop", hash=hashes[0])
        node.ask("increase_time", seconds=5)
        head = node.head
    with driven(tmp_path, mining=False) as node:
        assert node.head == head
        assert [encode_hex(entry.hash) for entry in node.hub.pool] == hashes[1:]
        assert node.hub.control.time_offset == 5
        attached = node.node.attach([head])
        assert [shape["hash"] for shape in attached["pool"]["pending"]] == hashes[1:]
        late = node.send(4)
        assert [encode_hex(entry.hash) for entry in node.hub.pool] == [*hashes[1:], late]


def test_an_existing_chain(tmp_path: Path) -> None:
    """A node begins with genesis and blocks from files and mines on; a reopened one skips them."""
    files: dict[str, Any] = {"genesis_file": str(GENESIS_FILE), "import_file": str(CHAIN_FILE)}
    told: list[int] = []
    settings = DevchainSettings(mining=False, **files)
    node = Node.open(
        str(tmp_path / "chain"),
        settings,
        wall_clock=lambda: float(NOW),
        random_bytes=lambda size: b"\x07" * size,
        report=told.append,
    )
    attached = node.attach([])
    assert told == [2, HEAD]
    assert [block["number"] for block in attached["blocks"]] == list(range(HEAD + 1))
    assert attached["chain_id"] == 3503995874084926
    assert decode_forks(attached["forks"]) == published_genesis().forks
    assert node.hub.control.gas_limit == node.hub.engine.head.gas_limit
    assert node.read("node_info", {})["hardfork"] == "bpo2"
    node.close()
    with driven(tmp_path, mining=False, **files) as again:
        again.ask("mine")
        assert again.node.hub.engine.height == HEAD + 1
        assert again.node.hub.engine.head.timestamp == NOW
    with driven(tmp_path, mining=False, **files) as again:
        assert again.node.hub.engine.height == HEAD + 1


def test_a_file_is_imported_once(tmp_path: Path) -> None:
    """A reopened node does not need the file any more; one that has grown is read again."""
    file = tmp_path / "blocks"
    blocks = list(read_items(io.BytesIO(CHAIN_FILE.read_bytes())))
    files = {"genesis_file": str(GENESIS_FILE), "import_file": str(file)}
    file.write_bytes(b"".join(blocks[:3]))
    with driven(tmp_path, **files) as node:
        assert node.node.hub.engine.height == 3
    file.write_bytes(b"".join(blocks[:5]))
    with driven(tmp_path, **files) as node:
        assert node.node.hub.engine.height == 5
    file.unlink()
    with driven(tmp_path, **files) as node:
        assert node.node.hub.engine.height == 5
    (tmp_path / "new").mkdir()
    with (
        pytest.raises(InvalidControl, match="cannot read it"),
        driven(tmp_path / "new", **files),
    ):
        pass


def test_a_stored_chain_keeps_its_forks(tmp_path: Path) -> None:
    """Without the file a reopened chain knows them still; another genesis is refused."""
    with driven(tmp_path, genesis_file=str(GENESIS_FILE)) as node:
        assert node.node.hub.engine.forks == published_genesis().forks
    with driven(tmp_path) as node:
        assert node.node.hub.engine.forks == published_genesis().forks
        assert node.node.hub.engine.chain_id == 3503995874084926
    other = tmp_path / "other.json"
    other.write_text(GENESIS_FILE.read_text().replace("0x5f5e100", "0x5f5e101"))
    with (
        pytest.raises(InvalidControl, match=f"genesis {other}: data-dir has another chain"),
        driven(tmp_path, genesis_file=str(other)),
    ):
        pass


def test_a_stored_chain_keeps_its_ontology_network(tmp_path: Path) -> None:
    """On another one ONT would give ONG that nobody has put aside; the error names both."""
    with driven(tmp_path, ontology_network=2):
        pass
    with (
        pytest.raises(
            InvalidControl, match="ontology-network 3: data-dir has a chain of network 2"
        ),
        driven(tmp_path),
    ):
        pass
    with driven(tmp_path, ontology_network=2) as node:
        assert node.node.hub.engine.height == 0


def test_a_wrong_genesis_file_is_refused(tmp_path: Path) -> None:
    """The error names the file and what was expected."""
    (tmp_path / "genesis.json").write_text("{}")
    with (
        pytest.raises(InvalidControl, match=r"genesis .*genesis.json: config: expected an object"),
        driven(tmp_path, genesis_file=str(tmp_path / "genesis.json")),
    ):
        pass


def test_a_false_mnemonic_is_refused(tmp_path: Path) -> None:
    """The error says which setting is wrong."""
    with pytest.raises(InvalidControl, match="mnemonic"):
        Node.open(
            str(tmp_path / "chain"),
            DevchainSettings(mnemonic="not a mnemonic"),
            wall_clock=lambda: 0.0,
        )


def test_all_families_are_funded_at_genesis(tmp_path: Path) -> None:
    """Ethereum, Zilliqa and Ontology addresses of the mnemonic own the same coin."""
    with driven(tmp_path, balance_ether=3) as node:
        for account in node.hub.keyring.accounts:
            for address in (account.address, account.zilliqa_address, account.ontology_address):
                assert node.hub.balance_of(address) == 3 * 10**18
        assert node.ask("accounts") == list(ADDRESSES)


def test_the_accounts_of_ontology_own_all_ont(tmp_path: Path) -> None:
    """Well-known or not, however many: equal parts, the rest for the first, and the coin."""
    mnemonic = "legal winner thank year wave sausage worth useful legal winner thank yellow"
    chosen: list[dict[str, Any]] = [{}, {"accounts": 3, "mnemonic": mnemonic}, {"accounts": 0}]
    for number, settings in enumerate(chosen):
        (tmp_path / str(number)).mkdir()
        with driven(tmp_path / str(number), balance_ether=7, **settings) as node:
            accounts = [item.ontology_address for item in node.hub.keyring.accounts]
            found = owned(node, *accounts)
            shares = [share * 10**9 for share in ont_shares(len(accounts))]
            assert found == [(share, 7 * 10**18) for share in shares]
            assert sum(share for share, _ in found) == (10**18 if accounts else 0)
            assert node.hub.balance_of(LEDGER_ADDRESS) == 0
            assert node.hub.nonce_of(LEDGER_ADDRESS) == 1


@pytest.mark.parametrize(("network", "given"), [(1, True), (2, True), (3, False), (0, False)])
def test_ong_that_is_given_belongs_to_the_contract(
    tmp_path: Path, network: int, *, given: bool
) -> None:
    """Where holders are given ONG there are a billion of it, all that nobody else owns."""
    with driven(tmp_path, ontology_network=network) as node:
        rest = 10**27 - 30 * 10_000 * 10**18 if given else 0
        assert node.hub.balance_of(LEDGER_ADDRESS) == rest


def test_accounts_richer_than_all_ong_leave_what_ont_gives(tmp_path: Path) -> None:
    """The contract's part is never below what the holders will be given."""
    with driven(tmp_path, ontology_network=1, balance_ether=10**9) as node:
        assert node.hub.balance_of(LEDGER_ADDRESS) == 285_897_600 * 10**18


def test_a_foreign_chain_has_no_ont(tmp_path: Path) -> None:
    """Its genesis is what its file says; scripts run there all the same, and are remembered."""
    files = {"genesis_file": str(GENESIS_FILE), "import_file": str(CHAIN_FILE)}
    with driven(tmp_path, mining=False, **files) as node:
        assert node.hub.nonce_of(LEDGER_ADDRESS) == 0
        assert owned(node, address()) == [(0, 0)]
        with pytest.raises(ExecutionFailed):
            submit(node, ont_transfer())
        node.ask("set_balance", address=encode_hex(address()), value=hex(10**18))
        sent = ong_transfer()
        submit(node, sent)
        node.ask("mine")
        assert owned(node, STRANGER) == [(0, 5 * 10**9)]
        assert node.hub.nonce_of(LEDGER_ADDRESS) == 1
        with pytest.raises(AlreadyMined):
            submit(node, sent)


def test_transactions_without_nonces_outlive_a_restart(tmp_path: Path) -> None:
    """What waited waits, in its order; what was mined is not taken again."""
    sent = [ont_transfer(nonce=nonce) for nonce in range(4)]
    with driven(tmp_path) as node:
        submit(node, sent[0])
        node.ask("set_automine", enabled=False)
        for item in sent[1:]:
            submit(node, item)
        before = owned(node, address(), STRANGER)
    with driven(tmp_path) as node:
        assert [entry.hash for entry in node.hub.pool] == [item.hash for item in sent[1:]]
        assert {node.hub.pool.standing(item.hash) for item in sent[1:]} == {"pending"}
        assert owned(node, address(), STRANGER) == before
        with pytest.raises(AlreadyMined):
            submit(node, sent[0])
        node.ask("mine")
        assert owned(node, STRANGER) == [(20 * 10**9, 0)]
