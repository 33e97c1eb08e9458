"""What goes over the wire, member by member. Sans-I/O, imports nothing but typing.

``Reversed`` is hex of reversed bytes without prefix, ``Bare`` hex as the bytes are; members are
written in the order that they have here.

A block::

    {"Hash":"4c51…","Size":1129,"Header":{"Version":0,"PrevBlockHash":"f7ed…",
     "TransactionsRoot":"60a5…","BlockRoot":"5e54…","Timestamp":1700000000,"Height":42,
     "ConsensusData":2083236893,"ConsensusPayload":"","NextBookkeeper":"ANH5…",
     "Bookkeepers":["0303…"],"SigData":["8bce…"],"Hash":"4c51…"},"Transactions":[…]}

A transaction::

    {"Version":0,"Nonce":1,"GasPrice":2500,"GasLimit":20000,"Payer":"ANH5…","TxType":209,
     "Payload":{"Code":"00c6…"},"Attributes":[],"Sigs":[{"PubKeys":["0303…"],"M":1,
     "SigData":["7718…"]}],"Hash":"da97…","Height":42}

What a transaction did::

    {"TxHash":"da97…","State":1,"GasConsumed":50000000,"Notify":[{"ContractAddress":"0100…",
     "States":["transfer","ANH5…","AazE…",1],"IsEvm":false}],"GasStepUsed":20000,"TxIndex":0,
     "CreatedContract":"0000000000000000000000000000000000000000"}

A proof::

    {"Type":"MerkleProof","TransactionsRoot":"60a5…","BlockHeight":600,"CurBlockRoot":"5e54…",
     "CurBlockHeight":6478,"TargetHashes":["f153…"]}

What a connection is told of::

    {"ContractsFilter":null,"SubscribeEvent":false,"SubscribeJsonBlock":false,
     "SubscribeRawBlock":false,"SubscribeBlockTxHashs":false}

What an account has, the average price of gas, and a transaction that waits::

    {"ont":"2500","ong":"1000000000","height":"1455"}
    {"gasprice":2500,"height":12345}
    {"State":[{"Height":0,"Type":0,"ErrCode":0},{"Height":342,"Type":1,"ErrCode":0}],"Raw":"00d1…"}

Source: ``ontology.md`` 4.1, 4.4, 4.5, 4.9, 4.12 to 4.14, 4.17, 4.19 and 4.22 (the node's
``http/base/common/common.go``, 26b5ad4f).
"""

from typing import Any, TypeAlias, TypedDict

Reversed: TypeAlias = str
Bare: TypeAlias = str
Base58: TypeAlias = str


class Header(TypedDict):
    """The header of a block."""

    Version: int
    PrevBlockHash: Reversed
    TransactionsRoot: Reversed
    BlockRoot: Reversed
    Timestamp: int
    Height: int
    ConsensusData: int
    ConsensusPayload: Bare
    NextBookkeeper: Base58
    Bookkeepers: list[Bare]
    SigData: list[Bare]
    Hash: Reversed


class InvokePayload(TypedDict):
    """Code to run."""

    Code: Bare


class DeployPayload(TypedDict):
    """A contract to deploy, and what ``getcontract`` answers."""

    Code: Bare
    VmType: int
    Name: str
    CodeVersion: str
    Author: str
    Email: str
    Description: str


class Sig(TypedDict):
    """One entry of the signature section; of one that cannot be read both lists are null."""

    PubKeys: list[Bare] | None
    M: int
    SigData: list[Bare] | None


class Transaction(TypedDict):
    """A transaction; the payload of an EVM one is its bytes."""

    Version: int
    Nonce: int
    GasPrice: int
    GasLimit: int
    Payer: Base58
    TxType: int
    Payload: InvokePayload | DeployPayload | Bare
    Attributes: list[Any]
    Sigs: list[Sig]
    Hash: Reversed
    Height: int


class Block(TypedDict):
    """A block."""

    Hash: Reversed
    Size: int
    Header: Header
    Transactions: list[Transaction]


class BlockHashes(TypedDict):
    """The hashes of a block's transactions."""

    Hash: Reversed
    Height: int
    Transactions: list[Reversed]


class Notice(TypedDict):
    """What a contract told: a list of a native one, hex with ``0x`` of an EVM one."""

    ContractAddress: Reversed
    States: list[Any] | str
    IsEvm: bool


class Event(TypedDict):
    """What a transaction did; ``Notify`` is null when nothing was told."""

    TxHash: Reversed
    State: int
    GasConsumed: int
    Notify: list[Notice] | None
    GasStepUsed: int
    TxIndex: int
    CreatedContract: Reversed


class MerkleProof(TypedDict):
    """A proof that a block belongs to the chain; no hashes are null."""

    Type: str
    TransactionsRoot: Reversed
    BlockHeight: int
    CurBlockRoot: Reversed
    CurBlockHeight: int
    TargetHashes: list[Reversed] | None


class Subscription(TypedDict):
    """What a connection is told of; no filter yet is null."""

    ContractsFilter: list[str] | None
    SubscribeEvent: bool
    SubscribeJsonBlock: bool
    SubscribeRawBlock: bool
    SubscribeBlockTxHashs: bool


class Balance(TypedDict):
    """What an account has, in decimal digits, and at which height."""

    ont: str
    ong: str
    height: str


class GasPrice(TypedDict):
    """The average price of gas, 10^-9 ONG, and in which block; 0 for none."""

    gasprice: int
    height: int


class Check(TypedDict):
    """A check that a waiting transaction has passed: 0 by itself, 1 against the state."""

    Height: int
    Type: int
    ErrCode: int


class PooledTransaction(TypedDict):
    """A transaction that waits."""

    State: list[Check]
    Raw: Bare
