"""The development commands: mining, clock, edits, impersonation, pool, snapshots, switches."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from eth.abc import StateAPI
from eth_typing import Address

from twisted_chainws.errors import InvalidControl, TimestampTooLow
from twisted_chainws.sources.devchain.codec import decode_hex, decode_quantity, encode_hex
from twisted_chainws.sources.devchain.engine.building import Builder
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.jobs import Command

Params = Mapping[str, Any]

_MAX_UINT64: Final = 2**64 - 1
_MAX_UINT256: Final = 2**256 - 1


class Commands:
    """Commands that are done at once, and ``mine``."""

    def __init__(self, hub: Hub, builder: Builder) -> None:
        self._hub = hub
        self._builder = builder

    def mine(self, params: Params) -> Command:
        """Make ``count`` blocks whatever the mode.

        Args:
            params: ``count`` (1); ``interval_s`` between their timestamps; ``leap``, whether the
                clock moves by the interval before the first one as well; ``timestamp`` of the
                first.

        Raises:
            InvalidControl: more blocks than one command may make, or times past 64 bits.
            TimestampTooLow: the timestamp is below the head's.
        """
        hub, hashes = self._hub, []
        count, most = decode_quantity(params.get("count", 1)), hub.settings.mine_cap
        if count > most:
            # Every other command waits for this one, and it cannot be called off.
            raise InvalidControl(
                reason=f"too many blocks: {count} > {most}, the mine-cap of this chain"
            )
        interval = None
        if params.get("interval_s") is not None:
            interval = _bounded(params, "interval_s", _MAX_UINT64)
        self._check_times(params, count, interval or 0)
        if params.get("timestamp") is not None:
            self._command_timestamp(decode_quantity(params["timestamp"]))
        for index in range(count):
            if index and interval is not None:
                timestamp = hub.engine.head.timestamp + interval
                hub.set_control(next_timestamp=timestamp)
            elif interval is not None and params.get("leap"):
                self.increase_time({"seconds": interval})
            block = yield from self._builder.mine(empty=True)
            hub.commit()
            if block is not None:
                hashes.append(encode_hex(block.hash))
        return {"hashes": hashes}

    def _check_times(self, params: Params, count: int, interval_s: int) -> None:
        """Refuse, before any effect, what would give a block a time that no header holds."""
        first = self._hub.next_timestamp()
        if params.get("timestamp") is not None:
            first = _bounded(params, "timestamp", _MAX_UINT64)
        steps = max(0, count - 1) + bool(params.get("leap"))
        if first + steps * interval_s > _MAX_UINT64:
            blocks = f"{count} blocks, {interval_s} s apart, from {first}"
            raise InvalidControl(reason=f"timestamps out of range: {blocks}")

    # Modes

    def set_automine(self, params: Params) -> None:
        """Switch automine; on, it ends interval mining."""
        self._hub.set_control(automine=bool(params["enabled"]))
        if params["enabled"] and self._hub.control.interval_s is not None:
            self._switch_interval(None)

    def set_interval(self, params: Params) -> None:
        """Mine every so many ``seconds`` and end automine; None or 0 ends interval mining."""
        seconds = params.get("seconds") or None
        if seconds is not None:
            if seconds < 0:
                raise InvalidControl(reason="interval must not be negative")
            self._hub.set_control(automine=False)
        self._switch_interval(seconds)

    def _switch_interval(self, seconds: float | None) -> None:
        self._hub.set_control(interval_s=seconds)
        self._hub.stage("interval", {"seconds": seconds})

    # State

    def set_balance(self, params: Params) -> None:
        """Set the balance of ``address`` to ``value`` wei."""
        value = _bounded(params, "value", _MAX_UINT256)
        self._edit(params, lambda state, address: state.set_balance(address, value))

    def add_balance(self, params: Params) -> None:
        """Add ``value`` wei to the balance of ``address``."""
        value = _bounded(params, "value", _MAX_UINT256)
        self._edit(
            params,
            lambda state, address: state.set_balance(
                address, min(state.get_balance(address) + value, _MAX_UINT256)
            ),
        )

    def set_nonce(self, params: Params) -> None:
        """Set the nonce of ``address``."""
        nonce = _bounded(params, "nonce", _MAX_UINT64)
        self._edit(params, lambda state, address: state.set_nonce(address, nonce))

    def set_code(self, params: Params) -> None:
        """Set the code of ``address``."""
        code = decode_hex(params["code"])
        self._edit(params, lambda state, address: state.set_code(address, code))

    def set_storage(self, params: Params) -> None:
        """Set the ``word`` in ``slot`` of ``address``."""
        slot, word = (_bounded(params, name, _MAX_UINT256) for name in ("slot", "word"))
        self._edit(params, lambda state, address: state.set_storage(address, slot, word))

    def _edit(self, params: Params, change: Callable[[StateAPI, Address], None]) -> None:
        address = Address(_address(params))
        self._hub.edit(lambda state: change(state, address))

    # Impersonation and pool

    def impersonate(self, params: Params) -> None:
        """Let ``address`` send without a key."""
        impersonated = self._hub.control.impersonated | {_address(params)}
        self._hub.set_control(impersonated=impersonated)

    def stop_impersonating(self, params: Params) -> bool:
        """Take that back; return whether it had been given."""
        address = _address(params)
        known = address in self._hub.control.impersonated
        self._hub.set_control(impersonated=self._hub.control.impersonated - {address})
        return known

    def auto_impersonate(self, params: Params) -> None:
        """Let every address send without a key, or end that."""
        self._hub.set_control(auto_impersonate=bool(params["enabled"]))

    def drop(self, params: Params) -> str | None:
        """Drop a pooled transaction; return its hash, or None when it is not there."""
        found = self._hub.pool.remove(decode_hex(params["hash"]))
        return str(params["hash"]).lower() if found else None

    def drop_all(self, _params: Params) -> None:
        """Empty the pool."""
        self._hub.pool.clear()

    def remove_pool_transactions(self, params: Params) -> None:
        """Drop the pooled transactions of ``address``."""
        self._hub.pool.remove_sender(_address(params))

    # Clock

    def increase_time(self, params: Params) -> int:
        """Set the clock forward by ``seconds``; return how far it is ahead in all.

        Raises:
            InvalidControl: the time would not fit 64 bits.
        """
        offset = self._hub.control.time_offset + decode_quantity(params["seconds"])
        if not 0 <= self._hub.now() + offset <= _MAX_UINT64:
            raise InvalidControl(reason="seconds is out of range")
        self._hub.set_control(time_offset=offset)
        return offset

    def set_time(self, params: Params) -> int:
        """Set the clock to ``timestamp``; return how many seconds it has gone on, 0 if it has not.

        Source: anvil 1.7.1, observed: it counts from the time that the next block would have had.
        """
        timestamp = _bounded(params, "timestamp", _MAX_UINT64)
        ahead = timestamp - self._hub.next_timestamp()
        offset = timestamp - self._hub.now()
        self._hub.set_control(time_offset=offset, next_timestamp=None)
        return max(ahead, 0)

    def set_next_timestamp(self, params: Params) -> None:
        """Command the ``timestamp`` of the next block.

        Raises:
            TimestampTooLow: it is below the head's.
        """
        self._command_timestamp(_bounded(params, "timestamp", _MAX_UINT64))

    def _command_timestamp(self, timestamp: int) -> None:
        previous = self._hub.engine.head.timestamp
        if timestamp < previous:
            raise TimestampTooLow(timestamp=timestamp, previous=previous)
        self._hub.set_control(next_timestamp=timestamp)

    def set_timestamp_interval(self, params: Params) -> bool:
        """Put ``seconds`` between blocks whatever the clock says; None ends that.

        Returns:
            Whether an interval had been set before.
        """
        known = self._hub.control.timestamp_interval is not None
        seconds = params.get("seconds")
        if seconds is not None:
            seconds = _bounded(params, "seconds", _MAX_UINT64)
        self._hub.set_control(timestamp_interval=seconds)
        return known

    # Headers

    def set_block_gas_limit(self, params: Params) -> None:
        """Set the gas limit of the next blocks."""
        limit = _bounded(params, "limit", 2**63 - 1)
        if not limit:
            raise InvalidControl(reason="gas limit must be above 0")
        self._hub.set_control(gas_limit=limit)

    def set_next_base_fee(self, params: Params) -> None:
        """Set the base fee of the next block, wei."""
        self._hub.set_control(next_base_fee=_bounded(params, "value", _MAX_UINT256))

    def set_prev_randao(self, params: Params) -> None:
        """Set what PREVRANDAO is in the next block, 32 bytes."""
        value = decode_hex(params["value"])
        if len(value) != 32:  # noqa: PLR2004 - as the text says
            raise InvalidControl(reason="prevrandao must be 32 bytes")
        self._hub.set_control(next_prev_randao=value)

    def set_coinbase(self, params: Params) -> None:
        """Set who gets the tips of the next blocks."""
        self._hub.set_control(coinbase=_address(params))

    def set_chain_id(self, params: Params) -> None:
        """Set what transactions must be signed for from now on."""
        self._hub.engine.set_chain_id(_bounded(params, "chain_id", _MAX_UINT64))


def _address(params: Params) -> bytes:
    address = decode_hex(params["address"])
    if len(address) != 20:  # noqa: PLR2004 - as the text says
        raise InvalidControl(reason="address must be 20 bytes")
    return address


def _bounded(params: Params, name: str, highest: int) -> int:
    value = decode_quantity(params[name])
    if not 0 <= value <= highest:
        raise InvalidControl(reason=f"{name} is out of range")
    return value
