"""Starts the real server on the published chain and asks it everything, over both transports."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from conformance.exchanges import Exchange
from tests.running import Running
from tests.wire import Wire, post

__all__ = ["DATA", "TRANSPORTS", "replay", "serving"]

DATA: Final = (
    Path(__file__).resolve().parent.parent / "tests" / "data" / "ethereum" / "execution-apis"
)

Answers = dict[str, list[Mapping[str, Any]]]
"""Name of an exchange -> what the server answered, in the order of the requests."""

Ask = Callable[[bytes], Mapping[str, Any]]


@contextmanager
def serving() -> Iterator[Running]:
    """Give a server whose head, safe and finalized block is the last one of the chain."""
    options = (
        *("--genesis", str(DATA / "genesis.json")),
        *("--import", str(DATA / "chain.rlp")),
        *("--safe-depth", "0", "--finalized-depth", "0"),
        # What is asked is what is answered, not how fast: a busy machine takes its time.
        *("--call-timeout", "60", "--no-mining", "--silent"),
    )
    with Running(*options) as running:
        yield running
        faults = running.faults()
        if faults:
            raise RuntimeError("the server broke:\n" + "\n".join(faults))


@contextmanager
def _over_http(port: int) -> Iterator[Ask]:
    yield lambda request: _object(post(port, request)[1])


@contextmanager
def _over_websocket(port: int) -> Iterator[Ask]:
    with Wire(port) as wire:

        def ask(request: bytes) -> Mapping[str, Any]:
            wire.send(request)
            return _object(wire.receive())

        yield ask


def _object(text: bytes) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = orjson.loads(text)
    return answer


TRANSPORTS: Final = {"HTTP": _over_http, "WebSocket": _over_websocket}


def replay(exchanges: Sequence[Exchange], transport: str) -> Answers:
    """Ask a fresh server everything in order.

    Args:
        exchanges: as ``read_exchanges`` sorts them; some change the pool.
        transport: one of ``TRANSPORTS``.
    """
    with serving() as running, TRANSPORTS[transport](running.port) as ask:
        return {
            exchange.name: [ask(trip.request) for trip in exchange.trips] for exchange in exchanges
        }
