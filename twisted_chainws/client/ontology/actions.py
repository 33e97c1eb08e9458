"""The actions of a node, each with its own type of answer.

Source: ``ontology.md`` 4.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.ontology.answers import (
    Balance,
    Contract,
    GasPrice,
    MempoolState,
    MerkleProof,
    Topics,
    Transaction,
    decode_balance,
    decode_contract_answer,
    decode_event,
    decode_events,
    decode_gas_price,
    decode_mempool_count,
    decode_mempool_hashes,
    decode_mempool_state,
    decode_proof,
    decode_text,
    decode_topics,
    decode_transaction,
)
from twisted_chainws.client.ontology.calls import HEARTBEAT
from twisted_chainws.client.ontology.keys import (
    account_address,
    contract_address,
    hash_of,
    token_of,
)
from twisted_chainws.client.ontology.values import (
    Block,
    BlockHashes,
    Notify,
    RawBlock,
    decode_block,
    decode_hash,
    decode_hashes,
    decode_raw_block,
    hex_bytes,
)
from twisted_chainws.client.reading import number
from twisted_chainws.websocket import Outcome
from twisted_chainws.websocket.awaiting import failed

__all__ = ["Actions"]

T = TypeVar("T")
_RAW = "1"


class Actions(ABC):
    """What a node may be asked.

    All of it must be called on the reactor's thread, and fails as ``call`` does; with Misuse when
    an address or a hash is none. Blocks are given by height or by hash, accounts and contracts as
    ``A…``, as hex that nodes show, or as 20 bytes.
    """

    @abstractmethod
    def call(
        self, action: str, /, *, repeatable: bool | None = None, **members: Any
    ) -> Outcome[Any]:
        """Ask; see ``OntologyClient.call``."""

    # The session and the node

    def heartbeat(self) -> Outcome[Topics]:
        """Return what this connection has subscribed to, and keep it alive."""
        return self._read(decode_topics, HEARTBEAT)

    def get_session_count(self) -> Outcome[int]:
        """Return how many connections the node has."""
        return self._read(number, "getsessioncount")

    def get_connection_count(self) -> Outcome[int]:
        """Return how many peers the node has."""
        return self._read(number, "getconnectioncount")

    def get_version(self) -> Outcome[str]:
        """Return the version of the node."""
        return self._read(decode_text, "getversion")

    def get_network_id(self) -> Outcome[int]:
        """Return the network: 1 main net, 2 Polaris, 3 solo."""
        return self._read(number, "getnetworkid")

    # Blocks

    def get_block_height(self) -> Outcome[int]:
        """Return the height of the head."""
        return self._read(number, "getblockheight")

    def get_block_hash(self, height: int) -> Outcome[str]:
        """Return the hash of a block."""
        return self._read(decode_hash, "getblockhash", lambda: {"Height": height})

    def get_block(self, block: int | str) -> Outcome[Block]:
        """Return a block."""
        return self._read(decode_block, _action(block), lambda: _block(block))

    def get_raw_block(self, block: int | str) -> Outcome[RawBlock]:
        """Return a block as nodes exchange it."""
        return self._read(decode_raw_block, _action(block), lambda: _block(block) | {"Raw": _RAW})

    def get_block_hashes(self, height: int) -> Outcome[BlockHashes]:
        """Return the hashes of a block's transactions."""
        return self._read(decode_hashes, "getblocktxsbyheight", lambda: {"Height": height})

    # Transactions

    def get_transaction(self, tx_hash: str) -> Outcome[Transaction]:
        """Return a transaction of the chain."""
        return self._read(decode_transaction, "gettransaction", lambda: {"Hash": hash_of(tx_hash)})

    def get_raw_transaction(self, tx_hash: str) -> Outcome[bytes]:
        """Return a transaction of the chain as it was sent."""
        return self._read(
            hex_bytes, "gettransaction", lambda: {"Hash": hash_of(tx_hash), "Raw": _RAW}
        )

    def get_height_of_transaction(self, tx_hash: str) -> Outcome[int]:
        """Return the height of a transaction's block."""
        return self._read(number, "getblockheightbytxhash", lambda: {"Hash": hash_of(tx_hash)})

    def get_events(self, height: int) -> Outcome[tuple[Notify, ...]]:
        """Return what the transactions of a block did; also nothing if there is no such block."""
        return self._read(decode_events, "getsmartcodeeventbyheight", lambda: {"Height": height})

    def get_event(self, tx_hash: str) -> Outcome[Notify | None]:
        """Return what a transaction did, None if the chain has none of that hash."""
        return self._read(
            decode_event, "getsmartcodeeventbyhash", lambda: {"Hash": hash_of(tx_hash)}
        )

    def get_merkle_proof(self, tx_hash: str) -> Outcome[MerkleProof]:
        """Return the proof that a transaction's block belongs to the chain, unverified."""
        return self._read(decode_proof, "getmerkleproof", lambda: {"Hash": hash_of(tx_hash)})

    def get_mempool_state(self, tx_hash: str) -> Outcome[MempoolState]:
        """Return the state of a transaction that waits."""
        return self._read(
            decode_mempool_state, "getmempooltxstate", lambda: {"Hash": hash_of(tx_hash)}
        )

    def get_mempool_count(self) -> Outcome[tuple[int, int]]:
        """Return how many transactions wait: verified ones, others."""
        return self._read(decode_mempool_count, "getmempooltxcount")

    def get_mempool_hashes(self) -> Outcome[tuple[str, ...]]:
        """Return the hashes of the transactions that wait."""
        return self._read(decode_mempool_hashes, "getmempooltxhashlist")

    # Accounts and contracts

    def get_balance(self, address: str | bytes) -> Outcome[Balance]:
        """Return what an account owns, in whole units, parts of them cut off."""
        return self._read(decode_balance, "getbalance", lambda: {"Addr": account_address(address)})

    def get_balance_v2(self, address: str | bytes) -> Outcome[Balance]:
        """Return what an account owns, in scaled units."""
        return self._read(
            decode_balance, "getbalancev2", lambda: {"Addr": account_address(address)}
        )

    def get_allowance(self, asset: str, owner: str | bytes, spender: str | bytes) -> Outcome[int]:
        """Return what a spender may still move, in whole units, parts of them cut off."""
        return self._read(number, "getallowance", lambda: _allowance(asset, owner, spender))

    def get_allowance_v2(
        self, asset: str, owner: str | bytes, spender: str | bytes
    ) -> Outcome[int]:
        """Return what a spender may still move, in scaled units."""
        return self._read(number, "getallowancev2", lambda: _allowance(asset, owner, spender))

    def get_unbound_ong(self, address: str | bytes) -> Outcome[int]:
        """Return what an account may claim, 10^-9 ONG."""
        return self._read(number, "getunboundong", lambda: {"Addr": account_address(address)})

    def get_grant_ong(self, address: str | bytes) -> Outcome[int]:
        """Return what would be released if an account moved ONT now, 10^-9 ONG."""
        return self._read(number, "getgrantong", lambda: {"Addr": account_address(address)})

    def get_gas_price(self) -> Outcome[GasPrice]:
        """Return what gas has cost lately."""
        return self._read(decode_gas_price, "getgasprice")

    def get_storage(self, contract: str | bytes, key: bytes) -> Outcome[bytes]:
        """Return a value of a contract, empty if there is none."""
        return self._read(
            hex_bytes,
            "getstorage",
            lambda: {"Hash": contract_address(contract), "Key": key.hex()},
        )

    def get_contract(self, contract: str | bytes) -> Outcome[Contract]:
        """Return a contract as it was deployed."""
        return self._read(
            decode_contract_answer, "getcontract", lambda: {"Hash": contract_address(contract)}
        )

    def get_raw_contract(self, contract: str | bytes) -> Outcome[bytes]:
        """Return a contract as transactions have it."""
        return self._read(
            hex_bytes, "getcontract", lambda: {"Hash": contract_address(contract), "Raw": _RAW}
        )

    # Ours

    def _read(
        self,
        decode: Callable[[Any], T],
        action: str,
        members: Callable[[], dict[str, Any]] = dict,
    ) -> Outcome[T]:
        try:
            outcome = self.call(action, **members())
        except Misuse as error:
            return failed(error)
        outcome.addCallback(decode)
        return outcome


def _action(block: int | str) -> str:
    return "getblockbyheight" if isinstance(block, int) else "getblockbyhash"


def _block(block: int | str) -> dict[str, Any]:
    return {"Height": block} if isinstance(block, int) else {"Hash": hash_of(block)}


def _allowance(asset: str, owner: str | bytes, spender: str | bytes) -> dict[str, Any]:
    return {
        "Asset": token_of(asset).symbol.lower(),
        "From": account_address(owner),
        "To": account_address(spender),
    }
