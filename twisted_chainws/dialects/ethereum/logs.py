"""Handlers that search the chain for logs, in steps when the range is long. Sans-I/O.

Source: ``ethereum.md`` 2.3, 5.3, 5.7 (go-ethereum ``eth/filters``; the -32005 text is Infura's).
"""

from collections.abc import Generator, Iterable, Mapping
from typing import Any, Final

import orjson

from twisted_chainws.chain.model import Block, Kind, LocatedLog
from twisted_chainws.chain.types import BlockNumber
from twisted_chainws.dialects.base import (
    Fault,
    Forward,
    Handler,
    Inspect,
    Json,
    Refused,
    Scan,
    View,
)
from twisted_chainws.dialects.ethereum import criteria, decode
from twisted_chainws.dialects.ethereum.arguments import refuse, takes
from twisted_chainws.dialects.ethereum.criteria import LogQuery
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_log
from twisted_chainws.dialects.ethereum.errors import LIMIT_EXCEEDED, SERVER_ERROR
from twisted_chainws.errors import FilterNotFound
from twisted_chainws.subscriptions.filters import Filter, LogFilter, log_matches

BLOCKS_PER_STEP: Final = 1_000
LOGS_PER_STEP: Final = 10_000
"""Matching logs after which a step ends early, so that encoding them does not take long either."""

Steps = Generator[None, None, Any]


def in_steps(steps: Steps) -> Json:
    """Answer at once when the first step is enough, else let the rest be scanned."""
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    return Forward(call=Scan(steps=steps), then=_as_it_is)


def _as_it_is(answer: Json) -> Json:
    return answer


@takes(criteria.log_query)
def get_logs(view: View, query: LogQuery) -> Json:
    """Answer ``eth_getLogs``.

    Raises:
        Refused: the query is too wide, its range makes no sense, or it finds too many logs.
    """
    criteria.refuse_wide(query, view.settings.query_alternatives)
    wanted = LogFilter(addresses=query.addresses, topics=query.topics)
    if query.block_hash is not None:
        block = view.chain.block(query.block_hash)
        if block is None:
            refuse("unknown block", code=SERVER_ERROR)
        found = list(_matching(wanted, [block]))
        _refuse_more_than(view.settings.max_logs, len(found))
        return [_shape(item) for item in found]
    return _search(view, wanted, _number(view, query.first), _number(view, query.last))


@takes(decode.text)
def get_filter_logs(view: View, filter_id: str) -> Json:
    """Answer ``eth_getFilterLogs``: everything a log filter matches in the chain as it is."""

    def search(installed: Filter) -> Json:
        if not isinstance(installed, LogFilter):
            raise FilterNotFound(filter_id=filter_id)
        head = view.chain.height
        first = head if installed.first is None else installed.first
        return _search(view, installed, first, head if installed.last is None else installed.last)

    return Inspect(filter_id=filter_id, then=search)


def _number(view: View, ref: BlockRef | None) -> BlockNumber:
    """Read a bound of the range; a number is taken as it is, a tag is looked up."""
    if ref is not None and ref.number is not None:
        return BlockNumber(ref.number)
    found = decode.resolve(view, ref)
    if not isinstance(found, Block):
        refuse("pending logs are not supported")
    return found.number


def _search(view: View, wanted: LogFilter, first: BlockNumber, last: BlockNumber) -> Json:
    if first > last:
        refuse("invalid block range params")
    if last > view.chain.height:
        refuse("block range extends beyond current head block")
    return in_steps(_scan(view, wanted, first, last))


def _scan(view: View, wanted: LogFilter, first: BlockNumber, last: BlockNumber) -> Steps:
    """Search block by block; begin again when what was searched left the chain meanwhile.

    Returns:
        The JSON text of the array.
    """
    parts: list[bytes] = []
    count = 0
    number: int = first
    searched: Block | None = None
    while number <= last:
        if searched is not None and not view.chain.is_canonical(searched.hash):
            parts, count, number = [], 0, first
        found: list[LocatedLog] = []
        for searched in view.chain.blocks(number, min(number + BLOCKS_PER_STEP - 1, last)):
            found += _matching(wanted, [searched])
            number = searched.number + 1
            if len(found) >= LOGS_PER_STEP:
                break
        else:
            # The chain may have become shorter than the range.
            if number <= last and number > view.chain.height:
                number = last + 1
        count += len(found)
        _refuse_more_than(view.settings.max_logs, count)
        parts += [orjson.dumps(_shape(item)) for item in found]
        if number <= last:
            yield
    return orjson.Fragment(b"[" + b",".join(parts) + b"]")


def _matching(wanted: LogFilter, blocks: Iterable[Block]) -> Iterable[LocatedLog]:
    return (
        item
        for block in blocks
        if any(receipt.logs for receipt in block.receipts)
        for item in block.logs()
        if log_matches(wanted, item.log)
        and block.transactions[item.transaction_index].kind is Kind.EVM
    )


def _shape(item: LocatedLog) -> Any:
    return encode_log(item.block, item.transaction_index, item.log_index, item.log)


def _refuse_more_than(limit: int, count: int) -> None:
    if count > limit:
        text = f"query returned more than {limit} results"
        raise Refused(Fault(code=LIMIT_EXCEEDED, message=text))


LOGS: Final[Mapping[str, Handler]] = {
    "eth_getLogs": get_logs,
    "eth_getFilterLogs": get_filter_logs,
}
