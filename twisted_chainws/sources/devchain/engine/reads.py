"""Questions: about states, about executions, about the pending block, which is never kept."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted_chainws.sources.devchain.codec import (
    decode_hex,
    encode_block,
    encode_hex,
    encode_transaction,
)
from twisted_chainws.sources.devchain.engine.building import Builder
from twisted_chainws.sources.devchain.engine.core import Place
from twisted_chainws.sources.devchain.engine.draft import Draft
from twisted_chainws.sources.devchain.engine.estimate import describe_error
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.simulate import encode_simulated
from twisted_chainws.sources.devchain.engine.simulate_block import Mode

Params = Mapping[str, Any]

PENDING = "pending"


class Reads:
    """The read methods, each from params to a JSON value."""

    def __init__(self, hub: Hub, builder: Builder) -> None:
        self._hub = hub
        self._builder = builder
        self._pending: tuple[tuple[Any, ...], Draft, dict[str, Any]] | None = None

    def needs_draft(self, params: Params) -> bool:
        """Tell whether a read is about the pending block and none is at hand."""
        return params.get("at") == PENDING and (
            self._pending is None or self._pending[0] != self._pending_key()
        )

    def balance(self, params: Params) -> str:
        """Return the balance of ``address`` ``at`` a block, wei."""
        return hex(self._reader(params).balance(decode_hex(params["address"])))

    def nonce(self, params: Params) -> str:
        """Return the nonce of ``address`` ``at`` a block; pending counts the pool."""
        address = decode_hex(params["address"])
        if params["at"] == PENDING:
            return hex(self._hub.pool.next_nonce(address))
        return hex(self._reader(params).nonce(address))

    def code(self, params: Params) -> str:
        """Return the code of ``address`` ``at`` a block."""
        return encode_hex(self._reader(params).code(decode_hex(params["address"])))

    def storage(self, params: Params) -> str:
        """Return the 32-byte word in ``slot`` of ``address`` ``at`` a block."""
        word = self._reader(params).storage(decode_hex(params["address"]), int(params["slot"], 16))
        return f"0x{word:064x}"

    def storage_values(self, params: Params) -> dict[str, list[str]]:
        """Return the words of many ``slots``, by address."""
        reader = self._reader(params)
        return {
            address: [
                f"0x{reader.storage(decode_hex(address), int(slot, 16)):064x}" for slot in slots
            ]
            for address, slots in params["slots"].items()
        }

    def proof(self, params: Params) -> dict[str, Any]:
        """Return the Merkle proof of ``address`` and ``slots`` ``at`` a block."""
        slots = [int(slot, 16) for slot in params["slots"]]
        proof = self._hub.engine.proof(decode_hex(params["address"]), slots, self.place(params))
        return {
            "address": encode_hex(proof.address),
            "accountProof": [encode_hex(node) for node in proof.proof],
            "balance": hex(proof.balance),
            "codeHash": encode_hex(proof.code_hash),
            "nonce": hex(proof.nonce),
            "storageHash": encode_hex(proof.storage_hash),
            "storageProof": [
                {
                    "key": f"0x{item.slot:064x}",
                    "value": hex(item.value),
                    "proof": [encode_hex(node) for node in item.proof],
                }
                for item in proof.storage
            ],
        }

    def call(self, params: Params) -> str:
        """Run ``call`` ``at`` a block and return its output.

        Raises:
            ExecutionError: the subclass that says how it failed.
        """
        return encode_hex(self._execute(self._hub.engine.call, params))

    def estimate(self, params: Params) -> str:
        """Return the gas that ``call`` needs ``at`` a block.

        Raises:
            ExecutionError: the subclass that says how it failed.
        """
        return hex(self._execute(self._hub.engine.estimate, params))

    def access_list(self, params: Params) -> dict[str, Any]:
        """Return the access list of ``call`` ``at`` a block and its gas; ``error`` if it fails."""
        result = self._execute(self._hub.engine.access_list, params)
        shape: dict[str, Any] = {
            "accessList": [
                {
                    "address": encode_hex(address),
                    "storageKeys": [f"0x{slot:064x}" for slot in slots],
                }
                for address, slots in result.entries
            ],
            "gasUsed": hex(result.gas_used),
        }
        if result.error is not None:
            shape["error"] = describe_error(result.error)
        return shape

    def simulate(self, params: Params) -> list[dict[str, Any]]:
        """Make ``blocks`` of calls on top of a block and return them; see `simulate`.

        Raises:
            SimulationRefused: its subclass that names the rule, or itself.
            InvalidOverride: the overrides contradict each other.
        """
        simulated = self._hub.engine.simulate(
            params["blocks"],
            self.place(params),
            mode=Mode(transfers=params["transfers"], validation=params["validation"]),
            gas_cap=self._hub.settings.call_gas_cap,
        )
        return [encode_simulated(block) for block in simulated]

    def pending_block(self, _params: Params) -> dict[str, Any]:
        """Return the block that would be made now; its hash is provisional."""
        return self._draft()[1]

    def pending_draft(self) -> Draft:
        """Return the sealed draft of that block."""
        return self._draft()[0]

    def fees(self, _params: Params) -> dict[str, str]:
        """Return the prices of the next block and the least tip that is taken, wei."""
        return {
            "next_base_fee": hex(self._builder.next_base_fee()),
            "blob_base_fee": hex(self._builder.next_blob_base_fee()),
            "gas_price_minimum": hex(self._hub.settings.minimum_tip_wei),
        }

    def sign(self, params: Params) -> str:
        """Return the signature of a personal ``message`` by ``address``."""
        signature = self._hub.keyring.sign_message(
            decode_hex(params["address"]), decode_hex(params["message"])
        )
        return encode_hex(signature)

    def sign_typed_data(self, params: Params) -> str:
        """Return the signature of typed ``data`` by ``address``."""
        address = decode_hex(params["address"])
        return encode_hex(self._hub.keyring.sign_typed_data(address, params["data"]))

    def accounts(self, _params: Params) -> list[str]:
        """Return the addresses whose keys are here, in order."""
        return [encode_hex(account.address) for account in self._hub.keyring.accounts]

    def automine(self, _params: Params) -> bool:
        """Return whether each submitted transaction is mined at once."""
        return self._hub.control.automine

    def interval(self, _params: Params) -> float | None:
        """Return the seconds between the blocks of interval mining, None when it is off."""
        return self._hub.control.interval_s

    def node_info(self, _params: Params) -> dict[str, Any]:
        """Return what describes the node and its chain."""
        hub, head = self._hub, self._hub.engine.head
        return {
            "number": head.block_number,
            "timestamp": head.timestamp,
            "hash": encode_hex(hub.engine.head_hash),
            "hardfork": hub.next_fork().name,
            "chain_id": hub.engine.chain_id,
            "base_fee": hex(self._builder.next_base_fee()),
            "gas_limit": hub.control.gas_limit,
            "coinbase": encode_hex(hub.control.coinbase),
            "gas_price": hex(self._builder.next_base_fee() + 10**9),
            "instance": encode_hex(hub.control.instance),
            "time_offset": hub.control.time_offset,
            "snapshots": {
                hex(item.id): {
                    "hash": encode_hex(item.head),
                    "number": hub.engine.header(item.head).block_number,
                }
                for item in hub.snapshots
            },
        }

    def pool(self) -> dict[str, list[dict[str, Any]]]:
        """Return the pooled transactions by standing, each list by arrival."""
        pool = self._hub.pool
        shapes: dict[str, list[dict[str, Any]]] = {"pending": [], "queued": []}
        for entry in pool:
            standing = pool.standing(entry.hash) or "queued"
            shapes[standing].append(encode_transaction(entry.transaction))
        return shapes

    def _reader(self, params: Params) -> Any:
        return self._hub.engine.read(self.place(params))

    def place(self, params: Params) -> Place:
        """Return where a question is asked: ``at`` a block, or at the pending one."""
        return self._draft()[0] if params["at"] == PENDING else decode_hex(params["at"])

    def _execute(self, run: Callable[..., Any], params: Params) -> Any:
        return run(
            params["call"],
            self.place(params),
            gas_cap=self._hub.settings.call_gas_cap,
            state_overrides=params.get("state_overrides"),
            block_overrides=params.get("block_overrides"),
        )

    def _pending_key(self) -> tuple[Any, ...]:
        hub = self._hub
        root = hub.engine.root(hub.engine.head_hash)
        return (hub.engine.head_hash, root, hub.pool.version, hub.control, hub.now())

    def _draft(self) -> tuple[Draft, dict[str, Any]]:
        """Return the sealed draft of the pending block and its shape, made anew when stale."""
        key = self._pending_key()
        if self._pending is None or self._pending[0] != key:
            hub = self._hub
            fields = self._builder.header_fields()
            draft = hub.engine.draft(hub.engine.head_hash, ephemeral=True, **fields)
            self._builder.fill(draft, frozenset(), lambda work, _hash: work())
            self._pending = (key, draft, encode_block(draft.seal()))
        return self._pending[1], self._pending[2]

    def table(self) -> dict[str, Callable[[Params], Any]]:
        """Return the methods by their words on the pipe."""
        names = (
            "access_list accounts automine balance call code estimate fees interval node_info"
            " nonce pending_block proof sign sign_typed_data simulate storage storage_values"
        )
        return {name: partial(getattr(type(self), name), self) for name in names.split()}
