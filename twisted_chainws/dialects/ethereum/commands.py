"""Development commands that are data: which word of the source, which arguments, what to answer.

Sans-I/O. A ``hardhat_`` name answers as Hardhat does, every other name as anvil does.

Source: ``ethereum.md`` 5.10 (anvil 1.7.1, observed; EDR 0.18).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import Decoder, takes
from twisted_chainws.dialects.ethereum.encode import encode_data
from twisted_chainws.dialects.ethereum.state import as_it_is, ask
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View

_MILLISECONDS_FROM: Final = 10**12
"""A moment above this many seconds lies 30,000 years ahead: it was given in milliseconds."""

Answer: TypeAlias = Callable[[Any], Json]


def always(value: Json) -> Answer:
    """Answer the same whatever the source says."""
    return lambda _answer: value


NULL: Final = always(None)
TRUE: Final = always(True)  # noqa: FBT003 - the answer itself


def amount(value: Any) -> str:
    """Read wei or another number of up to 256 bits, for the source."""
    return hex(decode.loose_number(value))


def nonce(value: Any) -> str:
    """Read a nonce, for the source."""
    return hex(decode.loose_number64(value))


def address(value: Any) -> str:
    """Read an address, for the source."""
    return encode_data(decode.address(value))


def word(value: Any) -> str:
    """Read 32 bytes, for the source."""
    return encode_data(decode.hash32(value))


def code(value: Any) -> str:
    """Read bytes of any length, for the source."""
    return encode_data(decode.data(value))


def slot(value: Any) -> str:
    """Read a storage slot, a number in any form, for the source: 32 bytes."""
    return encode_data(decode.loose_number(value).to_bytes(32, "big"))


def moment(value: Any) -> int:
    """Read a point in time, seconds or milliseconds since the epoch: seconds."""
    given = decode.loose_number53(value)
    return given // 1_000 if given > _MILLISECONDS_FROM else given


def _as_seconds(answer: float | None) -> Json:
    return int(answer) if answer is not None and float(answer).is_integer() else answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that is one word of the source.

    Attributes:
        names: method names that answer as anvil does; then those that answer as Hardhat does.
        ask: the word.
        arguments: parameter of the word -> decoder, in the order of the wire.
        required: how many of the first arguments must be there, all when None.
        answer: what the source says -> result.
        hardhat_answer: the same for ``hardhat_names``.
    """

    names: tuple[str, ...]
    hardhat_names: tuple[str, ...] = ()
    ask: str
    arguments: Mapping[str, Decoder]
    required: int | None = None
    answer: Answer = NULL
    hardhat_answer: Answer = TRUE

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each name."""
        plain, hardhat = self._handler(self.answer), self._handler(self.hardhat_answer)
        return dict.fromkeys(self.names, plain) | dict.fromkeys(self.hardhat_names, hardhat)

    def _handler(self, answer: Answer) -> Handler:
        def command(_view: View, *values: Any) -> Json:
            given = zip(self.arguments, values, strict=True)
            params = {name: value for name, value in given if value is not None}
            return ask(self.ask, params, answer)

        return takes(*self.arguments.values(), required=self.required)(command)


_ACCOUNTS: Final = (
    Command(
        names=("anvil_setBalance", "tenderly_setBalance"),
        hardhat_names=("hardhat_setBalance",),
        ask="set_balance",
        arguments={"address": address, "value": amount},
    ),
    Command(
        names=("anvil_addBalance", "tenderly_addBalance"),
        hardhat_names=("hardhat_addBalance",),
        ask="add_balance",
        arguments={"address": address, "value": amount},
    ),
    Command(
        names=("anvil_setNonce", "evm_setAccountNonce"),
        ask="set_nonce",
        arguments={"address": address, "nonce": nonce},
    ),
    Command(
        names=("anvil_setCode",),
        hardhat_names=("hardhat_setCode",),
        ask="set_code",
        arguments={"address": address, "code": code},
    ),
    Command(
        names=("anvil_setStorageAt",),
        hardhat_names=("hardhat_setStorageAt",),
        ask="set_storage",
        arguments={"address": address, "slot": slot, "word": word},
        answer=TRUE,
    ),
    Command(
        names=("anvil_impersonateAccount",),
        hardhat_names=("hardhat_impersonateAccount",),
        ask="impersonate",
        arguments={"address": address},
    ),
    Command(
        names=("anvil_stopImpersonatingAccount",),
        hardhat_names=("hardhat_stopImpersonatingAccount",),
        ask="stop_impersonating",
        arguments={"address": address},
        hardhat_answer=as_it_is,
    ),
    Command(
        names=("anvil_autoImpersonateAccount",),
        hardhat_names=("hardhat_autoImpersonateAccount",),
        ask="auto_impersonate",
        arguments={"enabled": decode.boolean},
    ),
)

_POOL: Final = (
    Command(
        names=("anvil_dropTransaction",),
        hardhat_names=("hardhat_dropTransaction",),
        ask="drop",
        arguments={"hash": word},
        answer=as_it_is,
        hardhat_answer=lambda dropped: dropped is not None,
    ),
    Command(
        names=("anvil_dropAllTransactions",),
        hardhat_names=("hardhat_dropAllTransactions",),
        ask="drop_all",
        arguments={},
    ),
    Command(
        names=("anvil_removePoolTransactions",),
        ask="remove_pool_transactions",
        arguments={"address": address},
    ),
)

_MINING: Final = (
    Command(
        names=(),
        hardhat_names=("hardhat_mine",),
        ask="mine",
        arguments={"count": decode.loose_number53, "interval_s": decode.loose_number53},
        required=0,
    ),
    Command(
        names=("anvil_setAutomine", "evm_setAutomine"),
        ask="set_automine",
        arguments={"enabled": decode.boolean},
    ),
    Command(
        names=("anvil_getAutomine", "hardhat_getAutomine"),
        ask="automine",
        arguments={},
        answer=as_it_is,
    ),
    Command(
        names=("anvil_setIntervalMining", "evm_setIntervalMining"),
        ask="set_interval",
        arguments={"seconds": decode.loose_number53},
    ),
    Command(
        names=("anvil_getIntervalMining",),
        ask="interval",
        arguments={},
        answer=_as_seconds,
    ),
)

_CHAIN: Final = (
    Command(
        names=("evm_snapshot", "anvil_snapshot"),
        ask="snapshot",
        arguments={},
        answer=as_it_is,
    ),
    Command(
        names=("evm_revert", "anvil_revert"),
        ask="revert",
        arguments={"id": amount},
        answer=as_it_is,
    ),
    Command(
        names=("anvil_rollback",),
        ask="rollback",
        arguments={"depth": decode.loose_number53},
        required=0,
    ),
)

_STATES: Final = (
    Command(
        names=("anvil_dumpState", "hardhat_dumpState"),
        ask="dump_state",
        arguments={"history": decode.boolean},
        required=0,
        answer=as_it_is,
    ),
    Command(
        names=("anvil_loadState", "hardhat_loadState"),
        ask="load_state",
        arguments={"state": code},
        answer=as_it_is,
    ),
)

_TIME: Final = (
    Command(
        names=("evm_increaseTime", "anvil_increaseTime"),
        ask="increase_time",
        arguments={"seconds": decode.loose_number53},
        answer=as_it_is,
    ),
    Command(
        names=("evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp"),
        ask="set_next_timestamp",
        arguments={"timestamp": decode.loose_number53},
    ),
    Command(
        names=("evm_setTime", "anvil_setTime"),
        ask="set_time",
        arguments={"timestamp": moment},
        answer=as_it_is,
    ),
    Command(
        names=("anvil_setBlockTimestampInterval",),
        ask="set_timestamp_interval",
        arguments={"seconds": decode.loose_number53},
    ),
)

_NEXT_BLOCKS: Final = (
    Command(
        names=("anvil_setCoinbase",),
        hardhat_names=("hardhat_setCoinbase",),
        ask="set_coinbase",
        arguments={"address": address},
    ),
    Command(
        names=("evm_setBlockGasLimit", "anvil_setBlockGasLimit"),
        ask="set_block_gas_limit",
        arguments={"limit": decode.loose_number53},
        answer=TRUE,
    ),
    Command(
        names=("anvil_setNextBlockBaseFeePerGas",),
        hardhat_names=("hardhat_setNextBlockBaseFeePerGas",),
        ask="set_next_base_fee",
        arguments={"value": amount},
    ),
    Command(
        names=("anvil_setNextBlockPrevRandao",),
        hardhat_names=("hardhat_setPrevRandao",),
        ask="set_prev_randao",
        arguments={"value": word},
    ),
)

COMMANDS: Final = (*_ACCOUNTS, *_POOL, *_MINING, *_CHAIN, *_STATES, *_TIME, *_NEXT_BLOCKS)
"""Every command that is data."""
