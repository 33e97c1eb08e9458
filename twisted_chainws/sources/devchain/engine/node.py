"""`Node`: everything that can be asked of a development chain, by word.

Reads answer at once or are a job; writes are commands, of which the worker runs one at a time.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT, SCALE, TOKENS
from twisted_chainws.dialects.ontology.unbound import holder_deadline, unbound_ong
from twisted_chainws.errors import InvalidControl
from twisted_chainws.sources.devchain.codec import decode_hex, encode_block, encode_hex
from twisted_chainws.sources.devchain.engine.branches import Branches
from twisted_chainws.sources.devchain.engine.building import Builder
from twisted_chainws.sources.devchain.engine.commands import Commands
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS, genesis_hash
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.importing import import_chain
from twisted_chainws.sources.devchain.engine.jobs import Command, Job, read_job
from twisted_chainws.sources.devchain.engine.keys import Keyring, open_keyring
from twisted_chainws.sources.devchain.engine.ont_ledger import initial_storage
from twisted_chainws.sources.devchain.engine.ont_reads import OntologyReads
from twisted_chainws.sources.devchain.engine.payload import Payloads
from twisted_chainws.sources.devchain.engine.reads import Reads
from twisted_chainws.sources.devchain.engine.state_files import StateFiles
from twisted_chainws.sources.devchain.engine.submission import Submission
from twisted_chainws.sources.devchain.engine.traces import Traces
from twisted_chainws.sources.devchain.genesis import (
    Genesis,
    GenesisAccount,
    encode_forks,
    read_genesis_file,
)
from twisted_chainws.sources.devchain.methods import EVM_READS, TRACES
from twisted_chainws.sources.devchain.settings import DevchainSettings
from twisted_chainws.sources.devchain.wallet import ont_shares

_IMPORTED: Final = "node.imported"
"""The control value that holds the size of the file that was imported, bytes."""
_ONTOLOGY_NETWORK: Final = "node.ontology_network"

Params = Mapping[str, Any]


class Node:
    """A development node over one file, without any I/O but the file's."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        builder = Builder(hub)
        submission = Submission(hub, builder)
        commands = Commands(hub, builder)
        branches = Branches(hub, builder, submission)
        states = StateFiles(hub, builder)
        self._reads = Reads(hub, builder)
        self._read_table: dict[str, Callable[[Params], Any]] = {
            **self._reads.table(),
            **OntologyReads(hub, self._reads.place).table(),
            **Traces(hub, self._reads.pending_draft).table(),
            "build_block": Payloads(hub, builder).build,
            "dump_state": states.dump,
            "fill": submission.fill,
            "sign_transaction": submission.sign_transaction,
        }
        self._commands: dict[str, Callable[[Params], Command]] = {
            "load_state": states.load,
            "mine": commands.mine,
            "reorg": branches.reorg,
            "send": submission.send,
            "send_native": submission.send_native,
            "send_raw": submission.send_raw,
            "send_unsigned": submission.send_unsigned,
        }
        self._instant: dict[str, Callable[[Params], Any]] = {
            "add_balance": commands.add_balance,
            "auto_impersonate": commands.auto_impersonate,
            "drop": commands.drop,
            "drop_all": commands.drop_all,
            "impersonate": commands.impersonate,
            "increase_time": commands.increase_time,
            "remove_pool_transactions": commands.remove_pool_transactions,
            "reset": branches.reset,
            "revert": branches.revert,
            "rollback": branches.rollback,
            "set_automine": commands.set_automine,
            "set_balance": commands.set_balance,
            "set_block_gas_limit": commands.set_block_gas_limit,
            "set_chain_id": commands.set_chain_id,
            "set_code": commands.set_code,
            "set_coinbase": commands.set_coinbase,
            "set_interval": commands.set_interval,
            "set_next_base_fee": commands.set_next_base_fee,
            "set_next_timestamp": commands.set_next_timestamp,
            "set_nonce": commands.set_nonce,
            "set_prev_randao": commands.set_prev_randao,
            "set_storage": commands.set_storage,
            "set_time": commands.set_time,
            "set_timestamp_interval": commands.set_timestamp_interval,
            "snapshot": branches.snapshot,
            "stop_impersonating": commands.stop_impersonating,
        }

    @classmethod
    def open(
        cls,
        path: str,
        settings: DevchainSettings,
        *,
        wall_clock: Callable[[], float],
        random_bytes: Callable[[int], bytes] = os.urandom,
        report: Callable[[int], object] = lambda _number: None,
    ) -> Self:
        """Continue the chain in the file ``path``, or begin one.

        Args:
            path: of the database.
            settings: of the chain; a file that holds one keeps its genesis.
            wall_clock: seconds since the epoch.
            random_bytes: so many fresh random bytes.
            report: told from time to time which block an import has reached.

        Raises:
            InvalidControl: the mnemonic is none, the genesis file is none or of another chain
                than the file ``path``, or a block cannot be imported.
        """
        try:
            keyring = open_keyring(settings.mnemonic, settings.accounts)
        except ValueError as error:
            raise InvalidControl(reason=str(error)) from error
        now = int(wall_clock())
        engine = _open_engine(path, _genesis(settings, keyring, now), settings, report)
        hub = Hub(
            engine=engine,
            keyring=keyring,
            settings=settings,
            wall_clock=wall_clock,
            random_bytes=random_bytes,
        )
        return cls(hub)

    def close(self) -> None:
        """Close the file."""
        self.hub.engine.close()

    def attach(self, known: list[str]) -> dict[str, Any]:
        """Return what a parent that knows these blocks has missed.

        Args:
            known: hashes of its canonical chain, newest first; empty for a new parent.

        Raises:
            InvalidControl: none of them is on the canonical chain.
        """
        if known:
            answer = self._catch_up(known)
        else:
            first = self.hub.first_control()
            self.hub.set_control(automine=first.automine, interval_s=first.interval_s)
            self.hub.commit()
            answer = {"blocks": self._blocks_from(0)}
        return {
            **answer,
            "chain_id": self.hub.engine.chain_id,
            "forks": encode_forks(self.hub.engine.forks),
            "pool": self._reads.pool(),
            "automine": self.hub.control.automine,
            "interval_s": self.hub.control.interval_s,
        }

    def read(self, method: str, params: Params) -> Any:
        """Answer a read, or return the ``Job`` that will.

        Raises:
            ChainwsError: as the method defines.
        """
        read = self._read_table[method]
        if method in TRACES:
            return read(params)
        if method in EVM_READS or self._needs_draft(method, params):
            timeout_s = self.hub.settings.call_timeout_s
            return read_job(lambda: read(params), timeout_s=timeout_s)
        return read(params)

    def write(self, method: str, params: Params) -> Command:
        """Begin a command; nothing happens before it is first resumed."""
        if method in self._commands:
            return self._commands[method](params)
        return self._do(self._instant[method], params)

    def _do(self, change: Callable[[Params], Any], params: Params) -> Command:
        answer = change(params)
        self.hub.commit()
        yield from ()
        return answer

    def _needs_draft(self, method: str, params: Params) -> bool:
        return method != "nonce" and self._reads.needs_draft(params)

    def _catch_up(self, known: list[str]) -> dict[str, Any]:
        engine = self.hub.engine
        for text in known:
            block_hash = decode_hex(text)
            if engine.is_canonical(block_hash):
                number = engine.header(block_hash).block_number
                return {
                    "ancestor": encode_hex(block_hash),
                    "applied": self._blocks_from(number + 1),
                }
        raise InvalidControl(reason="the database holds another chain")

    def _blocks_from(self, number: int) -> list[dict[str, Any]]:
        engine = self.hub.engine
        return [
            encode_block(engine.block(engine.canonical_hash(height)))
            for height in range(number, engine.height + 1)
        ]


def _open_engine(
    path: str, genesis: Genesis, settings: DevchainSettings, report: Callable[[int], object]
) -> Engine:
    engine = Engine.open(path, genesis)
    if settings.genesis_file is not None and engine.canonical_hash(0) != genesis_hash(genesis):
        engine.close()
        raise InvalidControl(reason=f"genesis {settings.genesis_file}: data-dir has another chain")
    _hold_network(engine, settings.ontology_network)
    if settings.import_file is not None:
        _import_once(engine, settings.import_file, report)
    return engine


def _hold_network(engine: Engine, network: int) -> None:
    """Keep whose rules Ontology's tokens follow: what they give was put aside at genesis."""
    stored = engine.get_control(_ONTOLOGY_NETWORK)
    if stored is None:
        engine.put_control(_ONTOLOGY_NETWORK, b"%d" % network)
        engine.commit()
    elif int(stored) != network:
        engine.close()
        reason = f"ontology-network {network}: data-dir has a chain of network {int(stored)}"
        raise InvalidControl(reason=reason)


def _import_once(engine: Engine, path: str, report: Callable[[int], object]) -> None:
    """Import a file unless that is done: a worker that is replaced must not read it all again."""
    size = Path(path).stat().st_size if Path(path).is_file() else None
    done = engine.get_control(_IMPORTED)
    if done is not None and size in {None, int(done)}:
        return
    import_chain(engine, path, report)
    engine.put_control(_IMPORTED, str(size).encode())
    engine.commit()


def _genesis(settings: DevchainSettings, keyring: Keyring, now: int) -> Genesis:
    """Return block 0: that of the file, else one where all three families own the same coin."""
    if settings.genesis_file is not None:
        try:
            return read_genesis_file(settings.genesis_file)
        except ValueError as mistake:
            raise InvalidControl(reason=str(mistake)) from mistake
    funded = GenesisAccount(balance=settings.balance_wei)
    addresses = (
        address
        for account in keyring.accounts
        for address in (account.address, account.zilliqa_address, account.ontology_address)
    )
    accounts: dict[bytes, GenesisAccount] = dict.fromkeys(addresses, funded)
    return Genesis(
        chain_id=settings.chain_id,
        gas_limit=settings.gas_limit,
        timestamp=now if settings.timestamp is None else settings.timestamp,
        base_fee=settings.base_fee,
        accounts={**accounts, LEDGER_ADDRESS: _ledger(settings, keyring, accounts.values())},
    )


def _ledger(
    settings: DevchainSettings, keyring: Keyring, owners: Iterable[GenesisAccount]
) -> GenesisAccount:
    """Return the account that holds all ONT and, where ONG is given for it, that ONG."""
    shares = ont_shares(len(keyring.accounts))
    storage = initial_storage(
        {
            account.ontology_address: share * SCALE
            for account, share in zip(keyring.accounts, shares, strict=True)
        }
    )
    deadline, ont = holder_deadline(settings.ontology_network), TOKENS[ONT_CONTRACT]
    kept = 0
    if deadline:
        rest = TOKENS[ONG_CONTRACT].total_supply - sum(owner.balance for owner in owners)
        # Without it ONT could not be moved, so it is there also when rich accounts have it all.
        given = unbound_ong(ont.total_supply // SCALE, 0, deadline, deadline=deadline) * SCALE
        kept = max(rest, given)
    return GenesisAccount(nonce=1, balance=kept, storage=storage)


__all__ = ["Job", "Node"]
