"""The published exchanges: what is asked, what is to be answered, and how both are compared.

Source: ``ethereum/execution-apis``, ``tests`` and ``docs-dev/tests.md`` (the format of ``.io``
files): ``//`` begins a comment, ``>>`` a request, ``<<`` the expected response.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

__all__ = ["GROUPS", "Exchange", "Trip", "Verdict", "group_of", "judge", "read_exchanges"]

SPEC_ONLY: Final = b"speconly"
"""Word of a comment: the values are the implementation's own, only the shape counts."""

OPTIONAL: Final = frozenset({"deleteStrategy"})
"""Members that the schemas do not require though every example has them.

Source: execution-apis ``src/schemas/capabilities.yaml``: a node that deletes nothing leaves it out.
"""

GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "blocks and transactions": frozenset(
        {
            "debug_getRawBlock",
            "debug_getRawHeader",
            "debug_getRawTransaction",
            "eth_baseFee",
            "eth_blobBaseFee",
            "eth_blockNumber",
            "eth_capabilities",
            "eth_chainId",
            "eth_config",
            "eth_getBlockByHash",
            "eth_getBlockByNumber",
            "eth_getBlockTransactionCountByHash",
            "eth_getBlockTransactionCountByNumber",
            "eth_getTransactionByBlockHashAndIndex",
            "eth_getTransactionByBlockNumberAndIndex",
            "eth_getTransactionByHash",
            "eth_syncing",
            "net_version",
        }
    ),
    "receipts and logs": frozenset(
        {
            "debug_getRawReceipts",
            "eth_feeHistory",
            "eth_getBlockReceipts",
            "eth_getLogs",
            "eth_getTransactionReceipt",
        }
    ),
    "state": frozenset(
        {
            "eth_getBalance",
            "eth_getCode",
            "eth_getStorageAt",
            "eth_getStorageValues",
            "eth_getTransactionCount",
        }
    ),
    "proofs": frozenset({"eth_getProof"}),
    "calls": frozenset({"eth_call", "eth_createAccessList", "eth_estimateGas"}),
    "traces": frozenset(
        {"debug_traceBlockByHash", "debug_traceBlockByNumber", "debug_traceTransaction"}
    ),
    "simulation": frozenset({"eth_simulateV1", "testing_buildBlockV1"}),
    "pool": frozenset(
        {"eth_sendRawTransaction", "txpool_content", "txpool_contentFrom", "txpool_status"}
    ),
}
"""What methods need, as name -> methods; the pool comes last, for it changes what is pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One request as published, and the whole response object."""

    request: bytes
    response: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One published file.

    Attributes:
        name: ``method/case``.
        trips: nearly always one.
        spec_only: only the shape of the answers counts.
    """

    name: str
    trips: tuple[Trip, ...]
    spec_only: bool

    @property
    def method(self) -> str:
        """The method asked for."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an answer compares.

    Attributes:
        reason: why it failed; empty when it passed.
        same_words: the message of an error, too, is as published; True for results.
    """

    reason: str = ""
    same_words: bool = True

    @property
    def passed(self) -> bool:
        """Whether result or error code are as they must be."""
        return not self.reason


def group_of(method: str) -> str:
    """Return the group of a method.

    Raises:
        ValueError: it is in none.
    """
    for group, methods in GROUPS.items():
        if method in methods:
            return group
    raise ValueError(f"no group for {method}")


def read_exchanges(folder: Path) -> list[Exchange]:
    """Return the exchanges under a folder, in the order in which they must be asked.

    Raises:
        ValueError: a file holds no exchange, or its method is in no group.
    """
    order = {group: index for index, group in enumerate(GROUPS)}
    found = [read_exchange(path) for path in folder.glob("*/*.io")]
    return sorted(found, key=lambda item: (order[group_of(item.method)], item.name))


def read_exchange(path: Path) -> Exchange:
    """Return what a file holds.

    Raises:
        ValueError: requests and responses do not alternate, or there are none.
    """
    lines = path.read_bytes().splitlines()
    asked = [line for line in lines if line.startswith((b">> ", b"<< "))]
    pairs = list(zip(asked[::2], asked[1::2], strict=False))
    in_order = all(first[:1] == b">" and second[:1] == b"<" for first, second in pairs)
    if not pairs or len(asked) % 2 or not in_order:
        raise ValueError(f"{path}: expected lines that begin with >> and <<, in turn")
    return Exchange(
        name=f"{path.parent.name}/{path.stem}",
        trips=tuple(
            Trip(request=first[3:], response=orjson.loads(second[3:])) for first, second in pairs
        ),
        spec_only=any(line.startswith(b"//") and SPEC_ONLY in line for line in lines),
    )


def judge(exchange: Exchange, answers: Sequence[Mapping[str, Any]]) -> Verdict:
    """Compare the answers to an exchange with what was published.

    Codes of errors count strictly, their messages softly; the data of an error counts where the
    published one has some.
    """
    verdicts = [
        _judge(trip.response, answer, spec_only=exchange.spec_only)
        for trip, answer in zip(exchange.trips, answers, strict=True)
    ]
    return Verdict(
        reason=next((verdict.reason for verdict in verdicts if verdict.reason), ""),
        same_words=all(verdict.same_words for verdict in verdicts),
    )


def _judge(wanted: Mapping[str, Any], answer: Mapping[str, Any], *, spec_only: bool) -> Verdict:
    if ("error" in wanted) is not ("error" in answer):
        return Verdict(reason=f"expected {_short(wanted)}, got {_short(answer)}", same_words=False)
    if "error" in wanted:
        return _judge_error(wanted["error"], answer["error"])
    compare = shape_difference if spec_only else difference
    return Verdict(reason=compare(wanted["result"], answer.get("result"), "result"))


def _judge_error(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Verdict:
    reason = difference(wanted["code"], found.get("code"), "error.code")
    if not reason and wanted.get("data") is not None:
        reason = difference(wanted["data"], found.get("data"), "error.data")
    return Verdict(reason=reason, same_words=wanted["message"] == found.get("message"))


def difference(wanted: Any, found: Any, place: str) -> str:
    """Say where two JSON values first differ; empty when they are equal."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return _first(_member_differences(wanted, found, place))
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return f"{place}: expected {len(wanted)} items, got {len(found)}"
        pairs = enumerate(zip(wanted, found, strict=True))
        return _first(difference(*pair, f"{place}[{at}]") for at, pair in pairs)
    if type(wanted) is type(found) and wanted == found:
        return ""
    return f"{place}: expected {_short(wanted)}, got {_short(found)}"


def _member_differences(
    wanted: Mapping[str, Any], found: Mapping[str, Any], place: str
) -> Iterator[str]:
    for name in dict.fromkeys((*wanted, *found)):
        if name not in found:
            yield f"{place}.{name}: missing"
        elif name not in wanted:
            yield f"{place}.{name}: too much"
        else:
            yield difference(wanted[name], found[name], f"{place}.{name}")


def _first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")


def shape_difference(wanted: Any, found: Any, place: str) -> str:
    """Say where the shape of a JSON value is another one; values may differ.

    What all elements of a published array have is required of each element, what some have is
    allowed. An object whose members are named by data (addresses, nonces) counts as an array.
    """
    return _misfit([wanted], found, place)


def _misfit(examples: Sequence[Any], found: Any, place: str) -> str:
    kind = _kind(found)
    same = [example for example in examples if _kind(example) == kind]
    if not same:
        return f"{place}: expected a {_kind(examples[0])}, got {_short(found)}"
    if kind == "array":
        items = [item for example in same for item in example]
        return _items_misfit(items, found, f"{place}[]")
    if kind != "object":
        return ""
    if any(map(_is_map, (*same, found))):
        items = [item for example in same for item in example.values()]
        return _items_misfit(items, list(found.values()), f"{place}.*")
    return _first(_member_misfits(same, found, place))


def _member_misfits(
    examples: Sequence[Mapping[str, Any]], found: Mapping[str, Any], place: str
) -> Iterator[str]:
    for name in sorted(set.intersection(*map(set, examples)) - set(found) - OPTIONAL):
        yield f"{place}.{name}: missing"
    # A transaction of a type that was not published has members of its own.
    new_type = "type" in found and all(found["type"] != each.get("type") for each in examples)
    for name, value in found.items():
        known = [example[name] for example in examples if name in example]
        if known:
            yield _misfit(known, value, f"{place}.{name}")
        elif not new_type:
            yield f"{place}.{name}: too much"


def _items_misfit(examples: Sequence[Any], found: Sequence[Any], place: str) -> str:
    if not examples:
        return ""
    return _first(_misfit(examples, item, place) for item in found)


def _is_map(value: Mapping[str, Any]) -> bool:
    return bool(value) and all(name.startswith("0x") or name.isdigit() for name in value)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "hex text" if value.startswith("0x") else "text"
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return "null"


_KINDS: Final = ((bool, "truth value"), ((int, float), "number"), (list, "array"), (dict, "object"))


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


_SHOWN: Final = 160
