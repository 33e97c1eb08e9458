"""Commands that leave the canonical chain as it was: reorg, rollback, snapshot, revert, reset."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from eth.abc import SignedTransactionAPI

from twisted_chainws.errors import (
    ChainwsError,
    ExecutionFailed,
    InvalidReorg,
    ReorgTooDeep,
    RollbackTooDeep,
)
from twisted_chainws.sources.devchain.codec import decode_hex, decode_quantity
from twisted_chainws.sources.devchain.engine.building import Builder, Watch
from twisted_chainws.sources.devchain.engine.checks import check_stateless, is_marked
from twisted_chainws.sources.devchain.engine.draft import Draft
from twisted_chainws.sources.devchain.engine.filling import Defaults, complete, request_sender
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.jobs import Command, Job, Progress
from twisted_chainws.sources.devchain.engine.limit import TimeUp
from twisted_chainws.sources.devchain.engine.submission import Submission

Params = Mapping[str, Any]

_IN_PLACE_BLOCKS: Final = 2
_TRANSFER_GAS: Final = 21_000


class Branches:
    """The commands that move the head elsewhere than one block forward."""

    def __init__(self, hub: Hub, builder: Builder, submission: Submission) -> None:
        self._hub = hub
        self._builder = builder
        self._submission = submission

    def reorg(self, params: Params) -> Command:
        """Replace the last ``depth`` blocks by as many new ones.

        Args:
            params: ``depth``; ``transactions`` as pairs of a request or raw bytes and the offset
                of its block among the new ones. All others of the old blocks go back to the pool.

        Raises:
            ReorgTooDeep: there are not so many blocks.
            InvalidReorg: an offset is out of range or a transaction cannot be placed.
        """
        hub, depth = self._hub, decode_quantity(params["depth"])
        if depth > hub.engine.height:
            raise ReorgTooDeep(height=hub.engine.height, depth=depth)
        placed: dict[int, list[Any]] = defaultdict(list)
        for item, offset in params.get("transactions") or ():
            if not 0 <= offset < depth:
                raise InvalidReorg(reason=f"block offset {offset} is not below depth {depth}")
            placed[offset].append(item)
        if depth == 0:
            return
        hub.set_control(branches=hub.control.branches + 1)
        head = yield Job(
            run=partial(self._branch, depth, placed),
            killed=lambda _: InvalidReorg(reason="a transaction runs too long"),
            timeout_s=hub.settings.build_timeout_s,
            in_place=depth <= _IN_PLACE_BLOCKS and not placed,
            writes=True,
        )
        self._move(head)
        hub.commit()

    def rollback(self, params: Params) -> None:
        """Take away the last ``depth`` blocks; their transactions go back to the pool.

        Raises:
            RollbackTooDeep: there are not so many blocks.
        """
        hub, depth = self._hub, decode_quantity(params.get("depth", 1))
        if depth > hub.engine.height:
            raise RollbackTooDeep(height=hub.engine.height, depth=depth)
        if depth:
            hub.set_control(branches=hub.control.branches + 1)
            self._move(hub.engine.canonical_hash(hub.engine.height - depth))

    def snapshot(self, _params: Params) -> str:
        """Remember this moment; return its id, a quantity."""
        hub = self._hub
        snapshot = hub.snapshot()
        hub.snapshots = (*hub.snapshots, snapshot)
        hub.set_control(next_snapshot=snapshot.id + 1)
        return hex(snapshot.id)

    def revert(self, params: Params) -> bool:
        """Return to a snapshot, which is gone then like all later ones; False if unknown."""
        hub, number = self._hub, decode_quantity(params["id"])
        snapshot = next((item for item in hub.snapshots if item.id == number), None)
        if snapshot is None:
            return False
        hub.move_head(snapshot.head)
        hub.engine.set_root(snapshot.head, snapshot.edited_root)
        now = hub.control
        hub.snapshots = tuple(item for item in hub.snapshots if item.id < number)
        hub.control = replace(
            snapshot.control,
            instance=now.instance,
            automine=now.automine,
            interval_s=now.interval_s,
            next_snapshot=now.next_snapshot,
            branches=now.branches + 1,
        )
        hub.forget_reader()
        self._restore_pool(snapshot.pool)
        return True

    def reset(self, _params: Params) -> None:
        """Go back to genesis and to the settings; blocks, snapshots and pool are gone."""
        hub, genesis = self._hub, self._hub.engine.canonical_hash(0)
        hub.move_head(genesis)
        hub.engine.set_root(genesis, None)
        hub.engine.set_chain_id(hub.settings.chain_id)
        hub.forget_reader()
        hub.pool.clear()
        hub.snapshots = ()
        old = hub.control
        # Other hashes than before: an old block of the same hash would keep its edits.
        hub.control = replace(hub.first_control(), branches=old.branches + 1)
        if hub.control.interval_s != old.interval_s:
            hub.stage("interval", {"seconds": hub.control.interval_s})

    def _move(self, head: bytes) -> None:
        hub = self._hub
        returned = hub.move_head(head)
        hub.readmit(returned)
        hub.pool.refresh(None, hub.balance_of)

    def _restore_pool(self, raws: Iterable[bytes]) -> None:
        """Make the pool what it was, telling only the differences."""
        hub = self._hub
        natives = [hub.natives.decode_pooled(raw) for raw in raws]
        wanted = {native.hash for native in natives}
        for entry in list(hub.pool):
            if entry.hash not in wanted:
                hub.pool.remove(entry.hash)
        hub.readmit(native for native in natives if native.hash not in hub.pool)
        hub.pool.refresh(None, hub.balance_of)

    def _branch(
        self, depth: int, placed: Mapping[int, list[Any]], progress: Progress | None
    ) -> bytes:
        """Seal ``depth`` blocks beside the last ones; return the hash of the newest."""
        hub = self._hub
        watch = Watch(progress or (lambda _: None), hub.settings.build_timeout_s)
        engine, start = hub.engine, hub.engine.height - depth
        head = engine.canonical_hash(start)
        for offset in range(depth):
            number = start + 1 + offset
            old = engine.header(engine.canonical_hash(number))
            draft = engine.draft(
                head,
                timestamp=old.timestamp,
                gas_limit=hub.control.gas_limit,
                coinbase=hub.control.coinbase,
                mix_hash=self._builder.mix_hash(number),
            )
            for item in placed.get(offset, ()):
                self._place(draft, item, watch)
            watch.report(b"")
            head = draft.seal().hash
        return head

    def _place(self, draft: Draft, item: Any, watch: Watch) -> None:
        try:
            native = self._transaction(draft, item, watch)
            watch.run(partial(draft.add, native), native.hash)
        except TimeUp:
            raise InvalidReorg(reason="a transaction runs too long") from None
        except ChainwsError as error:
            raise InvalidReorg(reason=f"{type(error).__name__}: {error}") from error

    def _transaction(self, draft: Draft, item: Any, watch: Watch) -> SignedTransactionAPI:
        hub = self._hub
        if isinstance(item, str):
            native = hub.engine.decode(decode_hex(item))
            if is_marked(native):
                raise ExecutionFailed(reason="invalid sender")
        else:
            sender = request_sender(item)
            defaults = Defaults(
                chain_id=hub.engine.chain_id,
                nonce=draft.state.get_nonce(sender),
                gas=watch.run(partial(self._gas, item, draft), b""),
                base_fee=draft.header.base_fee_per_gas,
                blob_base_fee=self._builder.next_blob_base_fee(),
            )
            native = self._submission.authorise(complete(item, defaults), sender)
        check_stateless(native, chain_id=hub.engine.chain_id, gas_limit=draft.header.gas_limit)
        return native

    def _gas(self, request: Mapping[str, Any], draft: Draft) -> int:
        """Return the gas of a request; by estimate at the parent for one with code to run."""
        if request.get("gas") is not None:
            return decode_quantity(request["gas"])
        if request.get("to") and not (request.get("data") or request.get("input")):
            return _TRANSFER_GAS
        return min(
            self._hub.engine.estimate(
                request, bytes(draft.header.parent_hash), gas_cap=draft.gas_left
            ),
            draft.gas_left,
        )
