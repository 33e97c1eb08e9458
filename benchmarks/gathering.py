"""Measures what a block costs that many watch by address, and writes it to docs/performance.md.

The real service with Zilliqa's dialect takes blocks of a scripted chain; every message is written
to its last byte, and no socket is there to take it. What is measured is processor time, which a
busy machine hardly changes.
"""

import itertools
import random
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.task import Clock

from benchmarks.measure import PAGE, milliseconds, rows, surroundings
from twisted_chainws.chain.model import Block, Log
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects import zilliqa
from twisted_chainws.dialects.view import Profile, Settings
from twisted_chainws.dialects.zilliqa.topics import EVENT_LOG, TXN_LOG, find
from twisted_chainws.service import ChainService
from twisted_chainws.testing import FakeSource, make_block, make_transaction

BEGIN: Final = "<!-- measured by python -m benchmarks.gathering -->"
END: Final = "<!-- end of watched addresses -->"

CONNECTIONS: Final = 1_000
TRANSACTIONS: Final = 500
BLOCKS: Final = 40
ROUNDS: Final = 3
FEW: Final = 50
MANY: Final = 200
SHARED: Final = 5_000

_TOPIC: Final = Hash32(b"\x01" * 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Who watches what, and what happens.

    Attributes:
        addresses: how many each connection watches, half for payments and half for events.
        pool: of how many addresses those are that something happens to; None: each connection has
            ``FEW`` that nobody else watches. Nothing happens to what it watches beyond ``FEW``.
        share: of the transactions that touch watched addresses; the others touch none.
    """

    addresses: int = FEW
    pool: int | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a block costs.

    Attributes:
        block_s: processor seconds, the median of the blocks.
        messages: that differ, on average.
        matches: pairs of a connection and an address to which something happened, on average.
    """

    block_s: float
    messages: float
    matches: float


class Stage:
    """A service, those who listen, and blocks for them."""

    def __init__(self, crowd: Crowd) -> None:
        self._random = random.Random(1)
        self._crowd = crowd
        self._source = FakeSource()
        self._service = self._serve()
        self._texts = 0
        self._numbers = itertools.count()
        self._service.deliver = self._deliver
        self._service.startService()
        self._watches = self._service.registry(zilliqa.DIALECT).watches
        self._accounts, self._contracts = self._watch()

    def measure(self, count: int) -> Cost:
        """Publish blocks and return what one costs."""
        spent, matches = [], 0
        for block in self._blocks(count):
            matches += self._matches(block)
            begun = time.process_time()
            self._source.sink.publish(block)
            spent.append(time.process_time() - begun)
        return Cost(
            block_s=statistics.median(spent),
            messages=self._texts / count,
            matches=matches / count,
        )

    def _serve(self) -> ChainService:
        numbers = itertools.count()
        settings = Settings(
            profile=Profile.SUPERSET, client_version="", network_id=1, development=True
        )
        return ChainService(
            source=self._source,
            dialects=(zilliqa.DIALECT,),
            settings=settings,
            clock=Clock(),
            random=lambda size: next(numbers).to_bytes(size, "big"),
        )

    def _deliver(self, _dialect: Any, notice: Any, watchers: Sequence[Any]) -> None:
        """Write a message as the fan-out does, once for all who get it."""
        if not notice.head or not watchers:
            raise RuntimeError("an empty message")
        self._texts += 1

    def _watch(self) -> tuple[list[Address20], list[Address20]]:
        """Let everybody watch; return the accounts and the contracts that may be touched."""
        half = FEW // 2
        own = (_addresses("own", CONNECTIONS * FEW),) * 2
        touched: tuple[list[Address20], list[Address20]] = ([], [])
        pool = _addresses("pool", self._crowd.pool or 0)
        for number in range(CONNECTIONS):
            idle = _addresses(f"idle {number}", self._crowd.addresses - FEW)
            for at, topic in enumerate((TXN_LOG, EVENT_LOG)):
                first = number * FEW + at * half
                mine = self._random.sample(pool, half) if pool else own[at][first : first + half]
                touched[at].extend(mine)
                self._watches.watch(
                    number, topic, [*mine, *idle[at::2]], max_topics=2, max_addresses=MANY
                )
        return sorted(set(touched[0])), sorted(set(touched[1]))

    def _blocks(self, count: int) -> Iterator[Block]:
        block = self._source.blocks[-1]
        for _ in range(count):
            block = make_block(block, [self._transaction() for _ in range(TRANSACTIONS)])
            yield block

    def _transaction(self) -> tuple[Any, list[Log]]:
        """Make a call by one account of another, and an event of a contract."""
        nonce = next(self._numbers)
        if self._random.random() < self._crowd.share:
            sender, to = self._random.sample(self._accounts, 2)
            emitter = self._random.choice(self._contracts)
        else:
            sender, to, emitter = _addresses(f"stranger {nonce}", 3)
        log = Log(address=emitter, topics=(_TOPIC,), data=bytes(32))
        return make_transaction(nonce, sender=sender, to=to), [log]

    def _matches(self, block: Block) -> int:
        places = {(found.topic, each) for found in find(block) for each in found.addresses}
        return sum(len(self._watches.of_address(*place)) for place in places)


def _addresses(name: str, count: int) -> list[Address20]:
    """Make addresses that differ, and from those of other names."""
    draw = random.Random(name)
    return [Address20(draw.randbytes(20)) for _ in range(count)]


def best(crowd: Crowd) -> Cost:
    """Return the cheapest of some rounds: others on the machine only ever add."""
    return min((Stage(crowd).measure(BLOCKS) for _ in range(ROUNDS)), key=lambda cost: cost.block_s)


def describe(cost: Cost) -> str:
    """Return a cost for people."""
    return (
        f"{milliseconds(cost.block_s)} ({cost.matches:,.0f} matches, "
        f"{cost.messages:,.0f} different messages)"
    )


def measure() -> dict[str, str]:
    """Return the rows of the page."""
    own = best(Crowd())
    many = best(Crowd(addresses=MANY))
    return {
        f"{FEW} addresses each, nobody else's": describe(own),
        f"{MANY} addresses each, the same matches": (
            f"{describe(many)}: {many.block_s / own.block_s:.2f} times that"
        ),
        "a tenth of the transactions touches them": describe(best(Crowd(share=0.1))),
        f"{FEW} addresses each, drawn from {SHARED:,}": describe(best(Crowd(pool=SHARED))),
    }


def main() -> None:
    """Measure, print it, and put it into the page."""
    parts = [surroundings(), rows(measure())]
    sys.stdout.write("\n\n".join(parts) + "\n")
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{tail}")


if __name__ == "__main__":
    main()
