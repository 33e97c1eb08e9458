"""Handlers that search the chain for logs, in steps when the range is long. Sans-I/O.

Source: ``ethereum.md`` 2.3, 5.3, 5.7 (go-ethereum ``eth/filters``; the -32005 text is Infura's).
"""

from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

import orjson

from twisted_chainws.chain.model import Block, Kind
from twisted_chainws.chain.types import BlockNumber
from twisted_chainws.dialects.ethereum import criteria, decode
from twisted_chainws.dialects.ethereum.arguments import refuse, takes
from twisted_chainws.dialects.ethereum.criteria import LogQuery
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_log
from twisted_chainws.dialects.ethereum.errors import LIMIT_EXCEEDED, SERVER_ERROR
from twisted_chainws.dialects.ethereum.shapes import Log
from twisted_chainws.dialects.outcomes import Fault, Forward, Handler, Inspect, Json, Refused, Scan
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import FilterNotFound
from twisted_chainws.subscriptions.filters import Filter, LogFilter, log_matches

BLOCKS_PER_STEP: Final = 1_000
"""Blocks that one step looks at, at most."""

LOGS_PER_STEP: Final = 10_000
"""Logs looked at after which a step ends early."""

FOUND_PER_STEP: Final = 1_000
"""Logs found after which a step ends early: writing one costs as much as looking at twenty."""

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
        found = list(_matching(wanted, block))
        _refuse_more_than(view.settings.max_logs, len(found))
        return found
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
    """Read a bound of the range; a number is taken as it is, a tag (never pending) is looked up."""
    if ref is not None and ref.number is not None:
        return BlockNumber(ref.number)
    found = decode.resolve(view, ref)
    return found.number if isinstance(found, Block) else view.chain.height


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
    found: list[bytes] = []
    number: int = first
    searched: Block | None = None
    while True:
        if searched is not None and not view.chain.is_canonical(searched.hash):
            found, number = [], first
        looked_at, enough = 0, len(found) + FOUND_PER_STEP
        for searched in view.chain.blocks(number, min(number + BLOCKS_PER_STEP - 1, last)):
            found += [orjson.dumps(shape) for shape in _matching(wanted, searched)]
            looked_at += sum(len(receipt.logs) for receipt in searched.receipts)
            number = searched.number + 1
            if looked_at >= LOGS_PER_STEP or len(found) >= enough:
                break
        _refuse_more_than(view.settings.max_logs, len(found))
        # A rollback may have made the chain shorter than the range.
        if number > min(last, view.chain.height):
            break
        yield
    return orjson.Fragment(b"[" + b",".join(found) + b"]")


def _matching(wanted: LogFilter, block: Block) -> Iterator[Log]:
    """Yield the logs of a block that are meant; those of other families only count."""
    log_index = 0
    for position, receipt in enumerate(block.receipts):
        if receipt.logs and block.transactions[position].kind is Kind.EVM:
            for offset, log in enumerate(receipt.logs, log_index):
                if log_matches(wanted, log):
                    yield encode_log(block, position, offset, log)
        log_index += len(receipt.logs)


def _refuse_more_than(limit: int, count: int) -> None:
    if count > limit:
        text = f"query returned more than {limit} results"
        raise Refused(Fault(code=LIMIT_EXCEEDED, message=text))


LOGS: Final[Mapping[str, Handler]] = {
    "eth_getLogs": get_logs,
    "eth_getFilterLogs": get_filter_logs,
}
