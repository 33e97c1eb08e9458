"""The published test chain of execution-apis as model values: RLP in, blocks out.

The chain file holds no receipts; blocks get those that the published answers show, and elsewhere
receipts that say nothing.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import rlp
from coincurve import PublicKey
from eth_hash.auto import keccak

from tests.strategies import EMPTY_BLOOM
from twisted_chainws.chain.model import (
    AccessListEntry,
    Authorization,
    Block,
    EthereumExtras,
    EthereumHeader,
    EvmTransaction,
    Log,
    Receipt,
    Withdrawal,
)
from twisted_chainws.chain.types import Address20, BlockNumber, Gas, Hash32, Timestamp, Wei

_N = TypeVar("_N", bound=int)

DATA: Final = Path(__file__).parents[2] / "data" / "ethereum" / "execution-apis"


CHAIN_METHODS: Final = frozenset(
    {
        "debug_getRawBlock",
        "debug_getRawHeader",
        "debug_getRawTransaction",
        "eth_blobBaseFee",
        "eth_chainId",
        "eth_getBlockByNumber",
        "eth_getBlockReceipts",
        "eth_getBlockTransactionCountByHash",
        "eth_getBlockTransactionCountByNumber",
        "eth_getLogs",
        "eth_getTransactionByBlockHashAndIndex",
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "net_version",
    }
)
"""What the chain file and the shown receipts answer; ``python -m conformance`` asks everything."""


def exchanges() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return the exchanges of ``CHAIN_METHODS``: name, request and expected response of each."""
    found = []
    for path in sorted(DATA.glob("tests/*/*.io")):
        if path.parent.name not in CHAIN_METHODS:
            continue
        lines = path.read_text().splitlines()
        request = next(line[3:] for line in lines if line.startswith(">> "))
        response = next(line[3:] for line in lines if line.startswith("<< "))
        name = f"{path.parent.name}/{path.stem}"
        found.append((name, orjson.loads(request), orjson.loads(response)))
    return found


@cache
def published_chain() -> tuple[Block, ...]:
    """Return the 55 blocks, genesis first."""
    text = (DATA / "chain.rlp").read_bytes()
    genesis = next(
        response["result"]
        for name, _, response in exchanges()
        if name.endswith("Header/get-genesis")
    )
    blocks = [_block([rlp.decode(_bytes(genesis)), [], []])]
    while text:
        item = rlp.decode(text, strict=False)
        size = len(rlp.encode(item))
        blocks.append(_block(item))
        text = text[size:]
    return tuple(blocks)


@cache
def _receipt_shapes() -> dict[bytes, dict[str, Any]]:
    """Return the receipts that the published answers show, by transaction hash."""
    found = {}
    for name, _, response in exchanges():
        result = response.get("result")
        if name.startswith("eth_getTransactionReceipt/"):
            result = [result] if result else []
        elif not name.startswith("eth_getBlockReceipts/"):
            continue
        for shape in result or ():
            found[_bytes(shape["transactionHash"])] = shape
    return found


def _block(item: list[Any]) -> Block:
    header = _header(item[0])
    transactions = tuple(_transaction(entry) for entry in item[1])
    withdrawals = None
    if len(item) > 3:
        withdrawals = tuple(
            Withdrawal(
                index=_int(entry[0]),
                validator_index=_int(entry[1]),
                address=Address20(entry[2]),
                amount_gwei=_int(entry[3]),
            )
            for entry in item[3]
        )
    return Block(
        number=header.number,
        hash=Hash32(keccak(rlp.encode(item[0]))),
        parent_hash=header.parent_hash,
        timestamp=header.timestamp,
        transactions=transactions,
        receipts=tuple(_receipt(transaction) for transaction in transactions),
        extras=EthereumExtras(
            header=header,
            size=len(rlp.encode(item)),
            uncles=tuple(_header(entry) for entry in item[2]),
            withdrawals=withdrawals,
        ),
    )


def _header(item: list[bytes]) -> EthereumHeader:
    padded: list[Any] = [*item, *[None] * (21 - len(item))]
    return EthereumHeader(
        parent_hash=Hash32(item[0]),
        uncles_hash=Hash32(item[1]),
        coinbase=Address20(item[2]),
        state_root=Hash32(item[3]),
        transactions_root=Hash32(item[4]),
        receipts_root=Hash32(item[5]),
        bloom=item[6],
        difficulty=_int(item[7]),
        number=BlockNumber(_int(item[8])),
        gas_limit=Gas(_int(item[9])),
        gas_used=Gas(_int(item[10])),
        timestamp=Timestamp(_int(item[11])),
        extra_data=item[12],
        mix_hash=Hash32(item[13]),
        nonce=item[14],
        base_fee_per_gas=None if padded[15] is None else Wei(_int(padded[15])),
        withdrawals_root=padded[16],
        blob_gas_used=None if padded[17] is None else Gas(_int(padded[17])),
        excess_blob_gas=None if padded[18] is None else Gas(_int(padded[18])),
        parent_beacon_block_root=padded[19],
        requests_hash=padded[20],
    )


_FIELDS: Final = {
    0: "nonce gas_price gas_limit to value data v r s",
    1: "chain_id nonce gas_price gas_limit to value data access_list v r s",
    2: "chain_id nonce max_priority_fee_per_gas max_fee_per_gas gas_limit to value data access_list"
    " v r s",
    3: "chain_id nonce max_priority_fee_per_gas max_fee_per_gas gas_limit to value data access_list"
    " max_fee_per_blob_gas blob_versioned_hashes v r s",
    4: "chain_id nonce max_priority_fee_per_gas max_fee_per_gas gas_limit to value data access_list"
    " authorizations v r s",
}
_OPTIONAL: Final = (
    "chain_id",
    "gas_price",
    "max_fee_per_gas",
    "max_priority_fee_per_gas",
    "access_list",
    "max_fee_per_blob_gas",
    "blob_versioned_hashes",
    "authorizations",
)
_NOT_NUMBERS: Final = {"to", "data", "access_list", "blob_versioned_hashes", "authorizations"}


def _transaction(entry: Any) -> EvmTransaction:
    """Decode a transaction as it stands in a block: a list, or the bytes of an envelope."""
    kind = 0 if isinstance(entry, list) else entry[0]
    raw = rlp.encode(entry) if kind == 0 else entry
    items = entry if kind == 0 else rlp.decode(entry[1:])
    names = _FIELDS[kind].split()
    fields: dict[str, Any] = dict.fromkeys(_OPTIONAL)
    for name, item in zip(names, items, strict=True):
        fields[name] = item if name in _NOT_NUMBERS else _int(item)
    fields["to"] = fields["to"] or None
    if kind:
        fields["access_list"] = tuple(
            AccessListEntry(address=address, storage_keys=tuple(keys))
            for address, keys in fields["access_list"]
        )
    if fields["blob_versioned_hashes"] is not None:
        fields["blob_versioned_hashes"] = tuple(fields["blob_versioned_hashes"])
    if fields["authorizations"] is not None:
        fields["authorizations"] = tuple(_authorization(item) for item in fields["authorizations"])
    unsigned = items[:-3]
    parity = fields["v"]
    if kind == 0:
        parity = (fields["v"] - 27) % 2
        if fields["v"] >= 35:
            fields["chain_id"] = (fields["v"] - 35) // 2
            parity = (fields["v"] - 35) % 2
            unsigned = [*unsigned, _minimal(fields["chain_id"]), b"", b""]
    message = (bytes([kind]) if kind else b"") + rlp.encode(unsigned)
    return EvmTransaction(
        hash=Hash32(keccak(raw)),
        sender=_sender(message, parity, fields["r"], fields["s"]),
        raw=raw,
        type=kind,
        **fields,
    )


def _authorization(item: list[bytes]) -> Authorization:
    return Authorization(
        chain_id=_int(item[0]),
        address=Address20(item[1]),
        nonce=_int(item[2]),
        y_parity=_int(item[3]),
        r=_int(item[4]),
        s=_int(item[5]),
    )


def _sender(message: bytes, parity: int, r: int, s: int) -> Address20:
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    key = PublicKey.from_signature_and_message(signature, keccak(message), hasher=None)
    return Address20(keccak(key.format(compressed=False)[1:])[-20:])


def _receipt(transaction: EvmTransaction) -> Receipt:
    shape = _receipt_shapes().get(transaction.hash)
    if shape is None:
        return Receipt(
            succeeded=True,
            gas_used=Gas(0),
            cumulative_gas_used=Gas(0),
            effective_gas_price=Wei(0),
            contract_address=None,
            logs=(),
            bloom=EMPTY_BLOOM,
            blob_gas_used=None,
            blob_gas_price=None,
            events=(),
        )
    created = shape["contractAddress"]
    return Receipt(
        succeeded=shape.get("status") != "0x0",
        gas_used=Gas(int(shape["gasUsed"], 16)),
        cumulative_gas_used=Gas(int(shape["cumulativeGasUsed"], 16)),
        effective_gas_price=Wei(int(shape["effectiveGasPrice"], 16)),
        contract_address=None if created is None else Address20(_bytes(created)),
        logs=tuple(
            Log(
                address=Address20(_bytes(log["address"])),
                topics=tuple(Hash32(_bytes(topic)) for topic in log["topics"]),
                data=_bytes(log["data"]),
            )
            for log in shape["logs"]
        ),
        bloom=_bytes(shape["logsBloom"]),
        blob_gas_used=_quantity(Gas, shape.get("blobGasUsed")),
        blob_gas_price=_quantity(Wei, shape.get("blobGasPrice")),
        events=(),
        state_root=Hash32(_bytes(shape["root"])) if "root" in shape else None,
    )


def _quantity(make: Callable[[int], _N], text: str | None) -> _N | None:
    return None if text is None else make(int(text, 16))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _int(item: bytes) -> int:
    return int.from_bytes(item, "big")


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
