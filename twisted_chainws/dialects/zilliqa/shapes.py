"""What goes over the wire, member by member. Sans-I/O, imports nothing but typing.

``Decimal`` is a number as decimal digits, amounts in Qa; ``Bare`` is hex without prefix, lower case
unless said. Members of every object are written in the order of their names.

A block as NewBlock and ``GetTxBlock`` show it::

    {"body":{"BlockHash":"b221…","HeaderSign":"E276…","MicroBlockInfos":[{"MicroBlockHash":"9e81…",
     "MicroBlockShardId":0,"MicroBlockTxnRootHash":"eec4…"}]},
     "header":{"BlockNum":"15","DSBlockNum":"1","GasLimit":"15000000","GasUsed":"1",
     "MbInfoHash":"4b2d…","MinerPubKey":"0x02FC…","NumMicroBlocks":1,"NumPages":1,"NumTxns":1,
     "PrevBlockHash":"5bda…","Rewards":"0","StateDeltaHash":"2f87…","StateRootHash":"94ab…",
     "Timestamp":"1572512230807870","TxnFees":"1000000000","Version":1}}

A transaction::

    {"ID":"1894…","amount":"1000000000000","gasLimit":"50","gasPrice":"2000000000","nonce":"2",
     "receipt":{"cumulative_gas":"50","epoch_num":"15","success":true},"senderPubKey":"0x0246…",
     "signature":"0x2D75…","toAddr":"29e5…","version":"14548993"}

Source: ``zilliqa.md`` 3.3 to 3.5 and 5 (the node's ``JSONConversion.cpp``, 9.3).
"""

from typing import Any, NotRequired, TypeAlias, TypedDict

Decimal: TypeAlias = str
Bare: TypeAlias = str


class MicroBlockInfo(TypedDict):
    """One microblock of a block."""

    MicroBlockHash: Bare
    MicroBlockShardId: int
    MicroBlockTxnRootHash: Bare


class TxBlockBody(TypedDict):
    """The part of a block that is not hashed; the signature in upper case."""

    BlockHash: Bare
    HeaderSign: Bare
    MicroBlockInfos: list[MicroBlockInfo]


class TxBlockHeader(TypedDict):
    """The header of a block; the key with ``0x`` and in upper case."""

    BlockNum: Decimal
    DSBlockNum: Decimal
    GasLimit: Decimal
    GasUsed: Decimal
    MbInfoHash: Bare
    MinerPubKey: str
    NumMicroBlocks: int
    NumPages: int
    NumTxns: int
    PrevBlockHash: Bare
    Rewards: Decimal
    StateDeltaHash: Bare
    StateRootHash: Bare
    Timestamp: Decimal
    TxnFees: Decimal
    Version: int


class TxBlock(TypedDict):
    """A block."""

    body: TxBlockBody
    header: TxBlockHeader


TxHashes: TypeAlias = list[list[Bare]]
"""Transaction ids by shard; empty for a block without any."""


class NewBlock(TypedDict):
    """What a NewBlock item tells; the hashes stand here, beside it, or in both places."""

    TxBlock: TxBlock
    TxHashes: NotRequired[TxHashes]


class NewBlockItem(TypedDict):
    """A NewBlock item of a notification."""

    TxHashes: NotRequired[TxHashes]
    query: str
    value: NewBlock


Value: TypeAlias = "str | dict[str, Any] | list[Value]"
"""A value of Scilla: numbers as digits, bytes with ``0x``, constructors as objects, lists."""


class Param(TypedDict):
    """An argument of an event."""

    type: str
    value: Value
    vname: str


class Event(TypedDict):
    """An event as an EventLog item lists it."""

    _eventname: str
    params: list[Param]


class ReceiptEvent(TypedDict):
    """An event as a receipt lists it; the address with ``0x``."""

    _eventname: str
    address: str
    params: list[Param]


class TxnLogEntry(TypedDict):
    """A transaction as a TxnLog item lists it."""

    ID: Bare
    amount: Decimal
    fromAddr: Bare
    success: bool
    toAddr: Bare


class Receipt(TypedDict):
    """What a transaction did; what is empty is left out."""

    cumulative_gas: Decimal
    epoch_num: Decimal
    event_logs: NotRequired[list[ReceiptEvent]]
    success: bool


class Transaction(TypedDict):
    """A transaction with its receipt; key and signature with ``0x`` and in upper case."""

    ID: Bare
    amount: Decimal
    code: NotRequired[str]
    data: NotRequired[str]
    gasLimit: Decimal
    gasPrice: Decimal
    nonce: Decimal
    receipt: Receipt
    senderPubKey: str
    signature: str
    toAddr: Bare
    version: Decimal
