"""Development methods: ``anvil_``, ``evm_``, ``hardhat_`` and ``tenderly_`` names. Sans-I/O.

Most are rows of ``commands``; here are those that ask twice, look at the chain or refuse.

Source: ``ethereum.md`` 5.10 (anvil 1.7.1, observed; EDR 0.18); EIP-1102 (``eth_requestAccounts``).
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ethereum import calls, decode
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, refuse, takes
from twisted_chainws.dialects.ethereum.commands import (
    COMMANDS,
    NULL,
    TRUE,
    Answer,
    address,
    always,
    amount,
    code,
    nonce,
)
from twisted_chainws.dialects.ethereum.encode import encode_block
from twisted_chainws.dialects.ethereum.node_info import NODE_INFO
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.dialects.ethereum.submit import accounts
from twisted_chainws.dialects.outcomes import Forward, Handler, Json
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import InvalidReorg


@takes(address, nonce)
def set_nonce_upwards(view: View, account: str, wanted: str) -> Json:
    """Answer ``hardhat_setNonce``, which refuses to lower a nonce."""

    def set_it(existing: str) -> Json:
        now, new = int(existing, 16), int(wanted, 16)
        if new < now:
            refuse(
                f"New nonce ({new}) must not be smaller than the existing nonce ({now})",
                code=calls.SERVER_ERROR,
            )
        return ask("set_nonce", {"address": account, "nonce": wanted}, TRUE)

    return ask("nonce", {"address": account, "at": decode.position(view, None)}, set_it)


_MINE_OPTIONS: Final = calls.members(
    {"timestamp": decode.loose_number53, "blocks": decode.loose_number53}, "MineOptions"
)


def mine_options(value: Any) -> dict[str, int]:
    """Read what ``evm_mine`` takes: a timestamp, or an object with ``timestamp`` and ``blocks``."""
    if not isinstance(value, dict):
        return {"timestamp": decode.loose_number53(value)}
    found: dict[str, int] = _MINE_OPTIONS(value)
    if "blocks" in found:
        found["count"] = found.pop("blocks")
    return found


@takes(mine_options, required=0)
def evm_mine(_view: View, options: dict[str, int] | None) -> Json:
    """Answer ``evm_mine``."""
    return ask("mine", options or {}, always("0x0"))


@takes(decode.loose_number53, decode.loose_number53, required=0)
def anvil_mine(_view: View, count: int | None, interval_s: int | None) -> Json:
    """Answer ``anvil_mine``: an interval also moves the clock before the first block.

    Source: foundry crates/anvil/src/eth/api.rs ``anvil_mine``, 2a5df2c (``hardhat_mine`` of EDR
    0.18 leaves the first block where the clock is).
    """
    params: dict[str, Json] = {} if count is None else {"count": count}
    if interval_s is not None:
        params |= {"interval_s": interval_s, "leap": True}
    return ask("mine", params, NULL)


@takes(mine_options, required=0)
def mine_detailed(view: View, options: dict[str, int] | None) -> Json:
    """Answer ``anvil_mine_detailed``: the new blocks, whole."""

    def show(answer: Mapping[str, Any]) -> Json:
        hashes = (Hash32(bytes.fromhex(text[2:])) for text in answer["hashes"])
        blocks = (view.chain.block(block_hash) for block_hash in hashes)
        return [encode_block(block, full=True) for block in blocks if block is not None]

    return ask("mine", options or {}, show)


@takes()
def remove_timestamp_interval(_view: View) -> Json:
    """Answer ``anvil_removeBlockTimestampInterval``: whether there was one."""
    return ask("set_timestamp_interval", {"seconds": None}, bool)


@takes(decode.loose_number53)
def set_chain_id(view: View, chain_id: int) -> Json:
    """Answer ``anvil_setChainId``."""

    def follow(_answer: Any) -> Json:
        # No block says so: the view learns it here, after the source has agreed.
        view.chain.chain_id = chain_id
        return None

    return ask("set_chain_id", {"chain_id": chain_id}, follow)


def reorg_pairs(value: Any) -> list[tuple[Any, int]]:
    """Read ``[[transaction object or raw DATA, offset], …]``."""
    if not isinstance(value, list):
        raise decode.not_a(value, "[]pair")
    pairs = []
    for item in value:
        if not isinstance(item, list) or len(item) != 2:  # noqa: PLR2004 - it is a pair
            raise InvalidArgument("expected pairs of a transaction and a block offset")
        transaction, offset = item
        given = calls.call(transaction) if isinstance(transaction, dict) else code(transaction)
        pairs.append((given, decode.loose_number53(offset)))
    return pairs


@takes(decode.loose_number53, reorg_pairs, required=1)
def reorg(_view: View, depth: int, pairs: list[tuple[Any, int]] | None) -> Json:
    """Answer ``anvil_reorg``: replace the last ``depth`` blocks by as many new ones."""
    for _transaction, offset in pairs or ():
        if offset >= depth:
            raise InvalidReorg(
                reason="Block number for reorg tx will exceed the reorged chain height. "
                f"Block number {offset} must not exceed (depth-1) {depth - 1}"
            )
    transactions = [list(pair) for pair in pairs or ()]
    return ask("reorg", {"depth": depth, "transactions": transactions}, NULL)


@takes(decode.quantity)
def set_head(view: View, number: int) -> Json:
    """Answer ``debug_setHead``: go back to a block; what is undone is pending again.

    Source: go-ethereum internal/ethapi/api.go ``DebugAPI.SetHead``, 02b73d4e.
    """
    depth = view.chain.height - number
    if depth <= 0:
        refuse("not allowed to rewind to a future block", code=calls.SERVER_ERROR)
    return ask("rollback", {"depth": depth}, NULL)


def reset_options(value: Any) -> None:
    """Read what ``anvil_reset`` takes: an object that does not ask for a fork."""
    if not isinstance(value, dict):
        raise decode.not_a(value, "Forking")
    if value.get("forking") is not None:
        refuse("forking is not supported by this engine")


def _reset(answer: Answer) -> Handler:
    """Answer ``anvil_reset``; the chain id may have become another one, too."""

    def reset(view: View, _options: None) -> Forward:
        def follow(node: Mapping[str, Any]) -> Json:
            view.chain.chain_id = node["chain_id"]
            return answer(node)

        return ask("reset", {}, lambda _done: ask("node_info", {}, follow))

    return takes(reset_options, required=0)(reset)


@takes(amount)
def set_min_gas_price(_view: View, _price: str) -> NoReturn:
    """Refuse ``anvil_setMinGasPrice``: every block here has a base fee."""
    refuse("anvil_setMinGasPrice is not supported when EIP-1559 is active")


def _set_logging(result: Json) -> Handler:
    """Answer ``anvil_setLoggingEnabled``; requests are never logged, so there is nothing to do."""
    return takes(decode.boolean)(lambda _view, _enabled: result)


DEVELOPMENT: Final[Mapping[str, Handler]] = {
    **{name: handler for item in COMMANDS for name, handler in item.handlers().items()},
    **NODE_INFO,
    # What wallets have; dApps ask for it before they know whom they talk to.
    "eth_requestAccounts": accounts,
    "hardhat_setNonce": set_nonce_upwards,
    "anvil_mine": anvil_mine,
    "evm_mine": evm_mine,
    "anvil_mine_detailed": mine_detailed,
    "evm_mine_detailed": mine_detailed,
    "anvil_removeBlockTimestampInterval": remove_timestamp_interval,
    "anvil_setChainId": set_chain_id,
    "anvil_reorg": reorg,
    "anvil_reset": _reset(NULL),
    "hardhat_reset": _reset(TRUE),
    "anvil_setMinGasPrice": set_min_gas_price,
    "hardhat_setMinGasPrice": set_min_gas_price,
    "anvil_setLoggingEnabled": _set_logging(None),
    "hardhat_setLoggingEnabled": _set_logging(True),  # noqa: FBT003 - the answer itself
}
"""Every development method."""

REWIND: Final[Mapping[str, Handler]] = {"debug_setHead": set_head}
"""What go-ethereum can do to its own chain as well."""
