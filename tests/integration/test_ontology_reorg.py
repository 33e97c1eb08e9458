"""What Ontology's state is after a reorganisation: that of a chain without the old branch."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest

from tests.integration.ontology_node import (
    ADDRESSES,
    ONT,
    OWNERS,
    PAYEE,
    Node,
    approve,
    transfer,
    transfer_from,
)
from tests.signing import signed
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.merkle import verify_proof
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT
from twisted_chainws.dialects.ontology.transaction import Transaction

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DEPTH: Final = 5
JANUARY_2019: Final = 1_546_300_800
DAY_S: Final = 86_400
LATE: Final = 1_700_000_000
RELEASING: Final = "while ONG is released"
OPTIONS: Final = {
    RELEASING: (
        "--ontology-network", "1", "--timestamp", str(JANUARY_2019), "--block-time", str(DAY_S),
    ),
    "long after": ("--ontology-network", "3", "--timestamp", str(LATE), "--block-time", "3600"),
}  # fmt: skip
"""Blocks are a day and an hour apart by the seed; they are made on command, not by the clock."""

ACCOUNTS: Final = (*OWNERS[:3], encode_base58(PAYEE))


class Chain:
    """A chain that is a function of what is done to it.

    Attributes:
        old: blocks to be undone; where ONG is released the last one claims some.
    """

    def __init__(self, node: Node, *, releases: bool) -> None:
        self._node = node
        self.old = (*OLD[:-1], *CLAIM) if releases else OLD
        node.ethereum.call("evm_setIntervalMining", 0)
        node.ethereum.call("evm_setAutomine", False)

    def block(self, *transactions: Transaction | str) -> None:
        """Make one block of these, Ethereum's as raw hex."""
        for transaction in transactions:
            if isinstance(transaction, str):
                self._node.ethereum.call("eth_sendRawTransaction", transaction)
            else:
                self._node.ontology.send(transaction)
        self._node.mine()
        assert self._node.ethereum.call("txpool_status") == {"pending": "0x0", "queued": "0x0"}
        assert self._node.ontology.get("getmempooltxcount") == [0, 0]

    def call(self, method: str, *params: Any) -> Any:
        """Command."""
        return self._node.ethereum.call(method, *params)

    def state(self, named: Sequence[str]) -> dict[str, Any]:
        """Return all that Ontology's clients can see.

        Args:
            named: hashes of transactions.
        """
        get = self._node.ontology.get
        height = get("getblockheight")
        pairs = [(one, two) for one in OWNERS[:3] for two in OWNERS[:3] if one != two]
        key = b"unboundTimeOffset".hex()
        return {
            "height": height,
            "hashes": [get("getblockhash", Height=each) for each in range(height + 1)],
            "blocks": [get("getblockbyheight", Height=each, Raw=1) for each in range(height + 1)],
            "events": [get("getsmartcodeeventbyheight", Height=at) for at in range(height + 1)],
            "balances": [get("getbalancev2", Addr=each) for each in ACCOUNTS],
            "unbound": [get("getunboundong", Addr=each) for each in ACCOUNTS],
            "offsets": [
                get("getstorage", Hash=ONT, Key=key + each.hex()) for each in (*ADDRESSES, PAYEE)
            ],
            "allowances": [
                get("getallowancev2", Asset=asset, From=source, To=spender)
                for asset in ("ont", "ong")
                for source, spender in pairs
            ],
            "proofs": [get("getmerkleproof", Hash=each) for each in named],
            "heights": [get("getblockheightbytxhash", Hash=each) for each in named],
        }

    def check_proof(self, named: str) -> None:
        """Check the proof by the root that the newest block names."""
        get = self._node.ontology.get
        proof = get("getmerkleproof", Hash=named)
        tip = get("getblockbyheight", Height=proof["CurBlockHeight"])
        assert proof["CurBlockHeight"] == get("getblockheight")
        assert proof["CurBlockRoot"] == tip["Header"]["BlockRoot"]
        leaf, root = _hash(proof["TransactionsRoot"]), _hash(proof["CurBlockRoot"])
        path = [_hash(each) for each in proof["TargetHashes"]]
        assert verify_proof(leaf, proof["BlockHeight"], proof["CurBlockHeight"], path, root)

    def waiting(self) -> list[str]:
        """Return which transactions wait."""
        listed = self._node.ontology.get("getmempooltxhashlist")
        assert self._node.ontology.get("getmempooltxcount") == [len(listed), 0]
        return sorted(bytes(each)[::-1].hex() for each in listed)


def _hash(shown: str) -> Hash32:
    return Hash32(bytes.fromhex(shown)[::-1])


PREFIX: Final = (
    (transfer(0, 1_000),),
    (transfer(1, 500, payee=ADDRESSES[2]), approve(0, ADDRESSES[1], 70)),
    (),
    (transfer(0, 3, ONG_CONTRACT, ADDRESSES[2]), approve(2, ADDRESSES[0], 9, ONG_CONTRACT)),
)
OLD: Final = (
    (transfer(0, 77), transfer_from(1, ADDRESSES[0], 50)),
    (approve(0, ADDRESSES[2], 123), approve(2, ADDRESSES[0], 1, ONG_CONTRACT)),
    (transfer(2, 5, method="transferV2"), transfer(1, 10**9, ONG_CONTRACT)),
    (transfer(1, 2, payee=ADDRESSES[0]),),
    (),
)
NEW: Final = (
    (transfer(0, 11),),
    (transfer_from(1, ADDRESSES[0], 30), approve(1, ADDRESSES[2], 5)),
    (),
    (transfer(2, 10**9 + 1, method="transferV2"),),
    (transfer_from(0, ADDRESSES[2], 4, ONG_CONTRACT), transfer(1, 1, payee=ADDRESSES[1])),
)


CLAIM: Final = ((transfer_from(0, ONT_CONTRACT, 1_000, ONG_CONTRACT),),)
"""Of ONG that was released before; where none is, it would be refused."""


def names(blocks: Sequence[Sequence[Transaction]]) -> list[str]:
    """Return the hashes of all transactions as they are shown."""
    return [encode_reversed(each.hash) for block in blocks for each in block]


@pytest.fixture(params=OPTIONS, name="two")
def _two(request: pytest.FixtureRequest) -> Iterator[tuple[Chain, Chain]]:
    """Give two chains that have become the same so far."""
    options = ("--seed", "5", *OPTIONS[request.param])
    with Node(*options) as one, Node(*options) as other:
        releases = request.param == RELEASING
        two = Chain(one, releases=releases), Chain(other, releases=releases)
        for chain in two:
            for block in PREFIX:
                chain.block(*block)
        yield two


def skip_a_number(chain: Chain) -> None:
    """Count a change of branches that changes nothing: the counter goes into the blocks to come."""
    snapshot = chain.call("evm_snapshot")
    assert chain.call("evm_revert", snapshot) is True


def test_after_a_rollback(two: tuple[Chain, Chain]) -> None:
    """Five blocks that were taken away and replaced have left nothing at all."""
    one, other = two
    common = one.state(names(PREFIX))
    assert common == other.state(names(PREFIX))
    for block in one.old:
        one.block(*block)
    changed = one.state(names(PREFIX))
    parts = {"height", "hashes", "blocks", "events", "balances", "offsets", "allowances", "proofs"}
    parts |= {"unbound"} if one.old != OLD else set()
    assert {part for part in common if changed[part] != common[part]} == parts
    one.call("anvil_rollback", DEPTH)
    assert one.state(names(PREFIX)) == common
    one.call("anvil_dropAllTransactions")
    skip_a_number(other)
    for chain in two:
        for block in NEW:
            chain.block(*block)
    expected = other.state(names((*PREFIX, *NEW)))
    assert one.state(names((*PREFIX, *NEW))) == expected
    for named in names((*PREFIX, *NEW)):
        one.check_proof(named)


def test_after_a_reorganisation(two: tuple[Chain, Chain]) -> None:
    """New blocks in the place of old ones, and what the old ones held is mined on top of them."""
    one, other = two
    for block in one.old:
        one.block(*block)
    branch = [(signed(0, at, to="0x" + "55" * 20, value=at + 1), at) for at in range(DEPTH)]
    one.call("anvil_reorg", DEPTH, [list(each) for each in branch])
    skip_a_number(other)
    for raw, _ in branch:
        other.block(raw)
    assert one.state(names(PREFIX)) == other.state(names(PREFIX))
    returned = names(one.old)
    assert one.waiting() == sorted(returned)
    one.call("evm_mine")
    assert one.waiting() == []
    for named in (*names(PREFIX), *returned):
        one.check_proof(named)
