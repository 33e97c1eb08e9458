"""Who transferred what to whom: ``alchemy_getAssetTransfers`` over our own blocks. Sans-I/O.

External transfers are the values of transactions that succeeded, token transfers are what contracts
logged. Transfers inside a transaction leave no trace in blocks and receipts: they are refused, not
left out in silence.

Source: Alchemy, ``alchemy_getAssetTransfers`` (openrpc/alchemy/transfers, 8224118) and "Transfers
API Quickstart"; the form of ``uniqueId`` was observed in recorded answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from twisted_chainws.chain.model import Block, EvmTransaction
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ethereum import decode, tokens
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, refuse, takes
from twisted_chainws.dialects.ethereum.criteria import addresses
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_data, encode_quantity
from twisted_chainws.dialects.ethereum.logs import Steps, in_steps
from twisted_chainws.dialects.ethereum.token_logs import Standard, TokenAmount, transfers_in
from twisted_chainws.dialects.ethereum.tokens import Metadata
from twisted_chainws.dialects.ethereum.walking import walk
from twisted_chainws.dialects.outcomes import Json
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import Unsupported

EXTERNAL: Final = "external"
CATEGORIES: Final = frozenset({EXTERNAL, *Standard})
UNRECORDED: Final = frozenset({"internal", "specialnft"})

MAX_TRANSFERS: Final = 1_000
"""Transfers of one answer, at most."""

_ETHER: Final = Metadata(symbol="ETH", decimals=18)
_LAST_SECOND: Final = 253_402_300_799
_KEY_BYTES: Final = 36


class Place(NamedTuple):
    """Where a page begins: a block, and how many of its transfers stood on the page before."""

    block_hash: Hash32
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for.

    Attributes:
        first: lowest block, inclusive; None is the oldest one.
        last: highest block, inclusive; None is the head.
        sender: None is anybody, like ``recipient``; both must fit.
        contracts: empty is any; ether has no contract and is not concerned.
    """

    first: BlockRef | None
    last: BlockRef | None
    sender: Address20 | None
    recipient: Address20 | None
    contracts: frozenset[Address20]
    categories: frozenset[str]
    descending: bool
    with_metadata: bool
    exclude_zero: bool
    count: int
    page: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One transfer.

    Attributes:
        log_index: None for an external one, like ``contract``.
        value: raw; None for tokens that are not fungible.
    """

    block: Block
    position: int
    log_index: int | None
    category: str
    contract: Address20 | None
    sender: Address20
    recipient: Address20 | None
    value: int | None
    tokens: tuple[TokenAmount, ...]


def _wish(value: Any) -> Wish:
    if not isinstance(value, dict):
        raise InvalidArgument("want an object")
    sender, recipient = value.get("fromAddress"), value.get("toAddress")
    count, page = value.get("maxCount"), value.get("pageKey")
    return Wish(
        first=_bound(value.get("fromBlock")),
        last=_bound(value.get("toBlock")),
        sender=None if sender is None else decode.address(sender),
        recipient=None if recipient is None else decode.address(recipient),
        contracts=addresses(value.get("contractAddresses")),
        categories=_categories(value.get("category")),
        descending=_order(value.get("order")),
        with_metadata=_flag(value.get("withMetadata"), default=False),
        exclude_zero=_flag(value.get("excludeZeroValue"), default=True),
        count=MAX_TRANSFERS if count is None else _count(count),
        # An empty text is what the documentation's example has where there is no further page.
        page=_place(page) if page else None,
    )


def _bound(value: Any) -> BlockRef | None:
    """Read a bound: number or tag; what is indexed here is all there is."""
    if value is None or value == "indexed":
        return None
    if type(value) is int and value >= 0:
        return BlockRef(number=value)
    ref = decode.block_number(value)
    if ref.tag == decode.PENDING:
        raise InvalidArgument("pending transfers are not supported")
    return ref


def _categories(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise InvalidArgument("category must be an array of at least one category")
    for item in map(decode.text, value):
        if item in UNRECORDED:
            raise Unsupported(
                reason=f'category "{item}" is not supported: neither transactions nor logs tell'
            )
        if item not in CATEGORIES:
            raise InvalidArgument(f'unknown category "{item}"')
    return frozenset(value)


def _order(value: Any) -> bool:
    """Read the order; True is descending."""
    if value not in (None, "asc", "desc"):
        raise InvalidArgument('order must be "asc" or "desc"')
    return bool(value == "desc")


def _flag(value: Any, *, default: bool) -> bool:
    return default if value is None else decode.boolean(value)


def _count(value: Any) -> int:
    """Read how many are wanted; more than the most there is means the most."""
    count = decode.loose_number64(value)
    if not count:
        raise InvalidArgument("maxCount must not be 0")
    return min(count, MAX_TRANSFERS)


def _place(value: Any) -> Place:
    raw = decode.data(value)
    if len(raw) != _KEY_BYTES:
        raise InvalidArgument("invalid pageKey")
    return Place(Hash32(raw[:32]), int.from_bytes(raw[32:], "big"))


@takes(_wish)
def get_asset_transfers(view: View, wish: Wish) -> Json:
    """Answer ``alchemy_getAssetTransfers``.

    Raises:
        Refused: the range is empty, or the page's block has left the chain.
        Unsupported: a category that blocks and logs do not tell of.
    """
    first, last = _range(view, wish)
    page = wish.page
    start = None if page is None else _page_start(view, page).number
    if start is not None and not first <= start <= last:
        refuse("invalid argument 0: pageKey of another range")
    if wish.descending:
        return in_steps(_search(view, wish, last if start is None else start, first))
    return in_steps(_search(view, wish, first if start is None else start, last))


def _range(view: View, wish: Wish) -> tuple[int, int]:
    chain = view.chain
    first = chain.oldest.number if wish.first is None else _number(view, wish.first)
    last = chain.height if wish.last is None else min(_number(view, wish.last), chain.height)
    if first > last:
        refuse("invalid block range params")
    return first, last


def _number(view: View, ref: BlockRef) -> int:
    if ref.number is not None:
        return ref.number
    found = decode.resolve(view, ref)
    return found.number if isinstance(found, Block) else view.chain.height


def _page_start(view: View, page: Place) -> Block:
    block = view.chain.block(page.block_hash)
    if block is None or not view.chain.is_canonical(page.block_hash):
        refuse("invalid argument 0: pageKey expired, its block has left the chain")
    return block


def _search(view: View, wish: Wish, first: int, last: int) -> Steps:
    """Collect one page, block by block; its metadata is asked of the source afterwards."""
    found: list[Found] = []
    following: list[Place] = []

    def visit(block: Block) -> bool:
        matching = [each for each in _transfers(block, wish) if _fits(each, wish)]
        if wish.descending:
            matching.reverse()
        page = wish.page
        skipped = page.skipped if page is not None and page.block_hash == block.hash else 0
        room = skipped + wish.count - len(found)
        found.extend(matching[skipped:room])
        if len(matching) <= room:
            return False
        following.append(Place(block.hash, room))
        return True

    def restart() -> None:
        if wish.page is not None:
            _page_start(view, wish.page)
        found.clear()

    yield from walk(view, first, last, visit, restart)
    return _with_metadata(view, wish, found, following)


def _transfers(block: Block, wish: Wish) -> Iterator[Found]:
    """Yield the transfers of a block in the wanted categories: each transaction, then its logs."""
    logged = list(transfers_in(block)) if wish.categories - {EXTERNAL} else []
    at = 0
    for position, transaction in enumerate(block.transactions):
        if isinstance(transaction, EvmTransaction) and block.receipts[position].succeeded:
            yield Found(
                block=block,
                position=position,
                log_index=None,
                category=EXTERNAL,
                contract=None,
                sender=transaction.sender,
                recipient=transaction.to,
                value=transaction.value,
                tokens=(),
            )
        while at < len(logged) and logged[at].position == position:
            _, log_index, transfer = logged[at]
            at += 1
            yield Found(
                block=block,
                position=position,
                log_index=log_index,
                category=transfer.standard,
                contract=transfer.contract,
                sender=transfer.sender,
                recipient=transfer.recipient,
                value=transfer.value,
                tokens=transfer.tokens,
            )


def _fits(found: Found, wish: Wish) -> bool:
    if found.category not in wish.categories:
        return False
    if wish.sender is not None and found.sender != wish.sender:
        return False
    if wish.recipient is not None and found.recipient != wish.recipient:
        return False
    if wish.contracts and found.contract is not None and found.contract not in wish.contracts:
        return False
    return not (wish.exclude_zero and found.value == 0)


def _with_metadata(view: View, wish: Wish, found: list[Found], following: list[Place]) -> Json:
    contracts = list(dict.fromkeys(each.contract for each in found if each.contract is not None))

    def told(metadata: dict[Address20, Metadata]) -> Json:
        shape: dict[str, Any] = {"transfers": [_encode(each, wish, metadata) for each in found]}
        for place in following:
            shape["pageKey"] = _encode_key(place)
        return shape

    return tokens.ask_metadata(view, contracts, told)


def _encode(found: Found, wish: Wish, metadata: dict[Address20, Metadata]) -> dict[str, Any]:
    token = _ETHER if found.contract is None else metadata[found.contract]
    tx_hash = encode_data(found.block.transactions[found.position].hash)
    where = EXTERNAL if found.log_index is None else f"log:{found.log_index}"
    single = found.category == Standard.ERC721
    decimals = None if found.value is None else token.decimals
    shape: dict[str, Any] = {
        "blockNum": encode_quantity(found.block.number),
        "uniqueId": f"{tx_hash}:{where}",
        "hash": tx_hash,
        "from": encode_data(found.sender),
        "to": None if found.recipient is None else encode_data(found.recipient),
        "value": _amount(found.value, decimals),
        "erc721TokenId": _word(found.tokens[0].token_id) if single else None,
        "erc1155Metadata": [
            {"tokenId": _word(each.token_id), "value": encode_quantity(each.value)}
            for each in found.tokens
        ]
        if found.category == Standard.ERC1155
        else None,
        "tokenId": _word(found.tokens[0].token_id) if single else None,
        "asset": token.symbol,
        "category": found.category,
        "rawContract": {
            "value": None if found.value is None else encode_quantity(found.value),
            "address": None if found.contract is None else encode_data(found.contract),
            "decimal": None if decimals is None else encode_quantity(decimals),
        },
    }
    if wish.with_metadata:
        shape["metadata"] = {"blockTimestamp": _moment(found.block.timestamp)}
    return shape


def _amount(value: int | None, decimals: int | None) -> float | None:
    """Return the value in whole units, as near as a JSON number is; None when it has none."""
    return None if value is None or decimals is None else value / 10**decimals


def _word(number: int) -> str:
    return f"0x{number:064x}"


def _moment(timestamp: int) -> str | None:
    """Write seconds as ISO 8601; None beyond the year 9999, which development commands reach."""
    if timestamp > _LAST_SECOND:
        return None
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _encode_key(place: Place) -> str:
    return encode_data(place.block_hash + place.skipped.to_bytes(4, "big"))
