"""What goes over the wire, member by member. Sans-I/O, imports nothing but typing.

``Quantity`` is ``0x`` and hex without leading zeros, ``Data`` is ``0x`` and an even number of
digits; all of it lower case. Members that a fork or a transaction type does not have are absent.

A header as ``newHeads`` sends it::

    {"parentHash":"0x…","sha3Uncles":"0x…","miner":"0x…", … ,"requestsHash":"0x…","hash":"0x…"}

A log::

    {"address":"0x…","topics":["0x…"],"data":"0x","blockNumber":"0x1","transactionHash":"0x…",
     "transactionIndex":"0x0","blockHash":"0x…","blockTimestamp":"0x5f","logIndex":"0x0",
     "removed":false}

Source: ``ethereum.md`` 2.2, 2.3, 5.5, 5.6 (go-ethereum of 2026-08-20, execution-apis tests).
"""

# ruff: noqa: N815 - the names are those of the wire

from typing import TypeAlias, TypedDict

Quantity: TypeAlias = str
Data: TypeAlias = str


class Header(TypedDict, total=False):
    """A header; order of go-ethereum's ``types.Header`` with the hash last."""

    parentHash: Data
    sha3Uncles: Data
    miner: Data | None
    stateRoot: Data
    transactionsRoot: Data
    receiptsRoot: Data
    logsBloom: Data
    difficulty: Quantity
    number: Quantity
    gasLimit: Quantity
    gasUsed: Quantity
    timestamp: Quantity
    extraData: Data
    mixHash: Data
    nonce: Data | None
    baseFeePerGas: Quantity
    withdrawalsRoot: Data
    blobGasUsed: Quantity
    excessBlobGas: Quantity
    parentBeaconBlockRoot: Data
    requestsHash: Data
    hash: Data | None


class AccessListEntry(TypedDict):
    """One entry of an access list."""

    address: Data
    storageKeys: list[Data]


class Authorization(TypedDict):
    """One EIP-7702 authorization."""

    chainId: Quantity
    address: Data
    nonce: Quantity
    yParity: Quantity
    r: Quantity
    s: Quantity


_Sender = TypedDict("_Sender", {"from": Data}, total=False)
"""A member that is a keyword cannot be written in a class body."""


class Transaction(_Sender, total=False):
    """A transaction, mined or pending; order of go-ethereum's ``RPCTransaction``."""

    blockHash: Data | None
    blockNumber: Quantity | None
    blockTimestamp: Quantity | None
    gas: Quantity
    gasPrice: Quantity
    maxFeePerGas: Quantity
    maxPriorityFeePerGas: Quantity
    maxFeePerBlobGas: Quantity
    hash: Data
    input: Data
    nonce: Quantity
    to: Data | None
    transactionIndex: Quantity | None
    value: Quantity
    type: Quantity
    accessList: list[AccessListEntry]
    chainId: Quantity
    blobVersionedHashes: list[Data]
    authorizationList: list[Authorization]
    v: Quantity
    r: Quantity
    s: Quantity
    yParity: Quantity


class Log(TypedDict):
    """A log and where it stands."""

    address: Data
    topics: list[Data]
    data: Data
    blockNumber: Quantity
    transactionHash: Data
    transactionIndex: Quantity
    blockHash: Data | None
    blockTimestamp: Quantity
    logIndex: Quantity
    removed: bool


class Withdrawal(TypedDict):
    """A validator withdrawal; ``amount`` in Gwei."""

    index: Quantity
    validatorIndex: Quantity
    address: Data
    amount: Quantity


class FeeHistory(TypedDict, total=False):
    """The answer of ``eth_feeHistory``; ratios are JSON numbers."""

    oldestBlock: Quantity
    reward: list[list[Quantity]]
    baseFeePerGas: list[Quantity]
    gasUsedRatio: list[float] | None
    baseFeePerBlobGas: list[Quantity]
    blobGasUsedRatio: list[float]
