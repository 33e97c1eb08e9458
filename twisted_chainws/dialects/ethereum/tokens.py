"""What the source knows of token contracts, asked by calls. Sans-I/O.

Source: Alchemy, ``alchemy_getTokenBalances``; EIP-20.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, takes
from twisted_chainws.dialects.ethereum.encode import encode_data
from twisted_chainws.dialects.ethereum.errors import fault_of
from twisted_chainws.dialects.ethereum.logs import Steps, in_steps
from twisted_chainws.dialects.ethereum.token_logs import Standard, transfers_in
from twisted_chainws.dialects.ethereum.walking import walk
from twisted_chainws.dialects.outcomes import Forward, Json, Query
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import ChainwsError

ERC20: Final = "erc20"
DEFAULT_TOKENS: Final = "DEFAULT_TOKENS"

MAX_CONTRACTS: Final = 1_000
"""Contracts that one request may name; the bound is ours."""

PAGE: Final = 100
"""Contracts of one answer when they are not named, at most."""

BALANCE_OF: Final = "0x70a08231"
SYMBOL: Final = "0x95d89b41"
DECIMALS: Final = "0x313ce567"

_WORD: Final = 32
_MOST_DECIMALS: Final = 255

Contracts = Sequence[Address20]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which part of a list is wanted: so many contracts, all above ``after``."""

    count: int = PAGE
    after: Address20 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a contract says of its token; None where it says nothing that can be read."""

    symbol: str | None
    decimals: int | None


def ask_each(
    view: View,
    questions: Sequence[tuple[Address20, str]],
    then: Callable[[list[bytes | ChainwsError]], Json],
) -> Json:
    """Call contracts at the head, one after the other, and go on with their answers.

    Args:
        view: of the chain.
        questions: contract and call data each.
        then: all answers in order, those that failed as exceptions -> the next outcome.
    """
    at = decode.position(view, None)
    answers: list[bytes | ChainwsError] = []

    def ask_next() -> Json:
        if len(answers) == len(questions):
            return then(answers)
        contract, data = questions[len(answers)]
        params = {"call": {"to": encode_data(contract), "data": data}, "at": at}
        return Forward(call=Query(method="call", params=params), then=answered, rescue=failed)

    def answered(answer: str) -> Json:
        answers.append(bytes.fromhex(answer[2:]))
        return ask_next()

    def failed(error: ChainwsError) -> Json:
        answers.append(error)
        return ask_next()

    return ask_next()


def ask_metadata(
    view: View, contracts: Contracts, then: Callable[[dict[Address20, Metadata]], Json]
) -> Json:
    """Ask contracts for symbol and decimals, and go on with what each said."""
    questions = [(contract, data) for contract in contracts for data in (SYMBOL, DECIMALS)]

    def told(answers: list[bytes | ChainwsError]) -> Json:
        pairs = zip(contracts, answers[::2], answers[1::2], strict=True)
        return then(
            {
                contract: Metadata(symbol=_text(symbol), decimals=_decimals(decimals))
                for contract, symbol, decimals in pairs
            }
        )

    return ask_each(view, questions, told)


def _text(answer: bytes | ChainwsError) -> str | None:
    """Read an ABI string, or the 32 bytes padded with zeros of older tokens."""
    if isinstance(answer, ChainwsError):
        return None
    if len(answer) == _WORD:
        raw = answer.rstrip(b"\0")
    else:
        length = int.from_bytes(answer[_WORD : 2 * _WORD], "big")
        raw = answer[2 * _WORD : 2 * _WORD + length]
        if len(raw) != length:
            return None
    try:
        return raw.decode() or None
    except UnicodeDecodeError:
        return None


def _decimals(answer: bytes | ChainwsError) -> int | None:
    if isinstance(answer, ChainwsError) or len(answer) < _WORD:
        return None
    number = int.from_bytes(answer[:_WORD], "big")
    return number if number <= _MOST_DECIMALS else None


def _specification(value: Any) -> str | tuple[Address20, ...]:
    """Read which tokens are meant: a word, or a list of contracts."""
    if value in (ERC20, DEFAULT_TOKENS):
        return str(value)
    if not isinstance(value, list):
        raise InvalidArgument(f'want an array of contracts, "{ERC20}" or "{DEFAULT_TOKENS}"')
    if len(value) > MAX_CONTRACTS:
        raise InvalidArgument(f"exceed max contracts, want at most {MAX_CONTRACTS}")
    return tuple(decode.address(item) for item in value)


def _paging(value: Any) -> Paging:
    """Read the options object; a count above the most there is means the most."""
    if not isinstance(value, dict):
        raise InvalidArgument("want an object")
    count, after = value.get("maxCount"), value.get("pageKey")
    wanted = PAGE if count is None else decode.loose_number64(count)
    if not wanted:
        raise InvalidArgument("maxCount must not be 0")
    return Paging(count=min(wanted, PAGE), after=None if after is None else decode.address(after))


@takes(decode.address, _specification, _paging, required=1)
def get_token_balances(
    view: View,
    owner: Address20,
    wanted: str | tuple[Address20, ...] | None,
    paging: Paging | None,
) -> Json:
    """Answer ``alchemy_getTokenBalances``.

    Tokens that are not named are looked for in the logs of this chain: ``erc20`` means those that
    the owner ever sent or received, page by page in the order of their addresses, and
    ``DEFAULT_TOKENS`` the hundred with the most transfers by anybody.
    """
    if isinstance(wanted, tuple):
        return _balances(view, owner, wanted, None)
    return in_steps(_search(view, owner, wanted or ERC20, paging or Paging()))


def _search(view: View, owner: Address20, wanted: str, paging: Paging) -> Steps:
    seen: Counter[Address20] = Counter()

    def visit(block: Block) -> bool:
        seen.update(
            transfer.contract
            for _, _, transfer in transfers_in(block)
            if transfer.standard is Standard.ERC20
            and (wanted == DEFAULT_TOKENS or owner in (transfer.sender, transfer.recipient))
        )
        return False

    yield from walk(view, view.chain.oldest.number, view.chain.height, visit, seen.clear)
    if wanted == DEFAULT_TOKENS:
        ranked = sorted(seen, key=lambda contract: (-seen[contract], contract))
        return _balances(view, owner, ranked[:PAGE], None)
    left = sorted(each for each in seen if paging.after is None or each > paging.after)
    page = left[: paging.count]
    return _balances(view, owner, page, page[-1] if len(left) > len(page) else None)


def _balances(view: View, owner: Address20, contracts: Contracts, page_key: bytes | None) -> Json:
    """Ask each contract for the balance; one that cannot tell has an error in its place."""
    data = f"{BALANCE_OF}{owner.hex():0>64}"

    def told(answers: list[bytes | ChainwsError]) -> Json:
        shape: dict[str, Any] = {
            "address": encode_data(owner),
            "tokenBalances": [
                _balance(view, contract, answer)
                for contract, answer in zip(contracts, answers, strict=True)
            ],
        }
        return shape if page_key is None else shape | {"pageKey": encode_data(page_key)}

    return ask_each(view, [(contract, data) for contract in contracts], told)


def _balance(view: View, contract: Address20, answer: bytes | ChainwsError) -> dict[str, Any]:
    balance: str | None = None
    error: str | None = None
    if isinstance(answer, ChainwsError):
        error = fault_of(answer, view.settings.profile).message
    elif len(answer) < _WORD:
        error = "the contract answered no balance"
    else:
        balance = encode_data(answer[:_WORD])
    return {"contractAddress": encode_data(contract), "tokenBalance": balance, "error": error}
