"""One connection, sans-I/O: what may be said, in which order, and how much may wait.

Imports only base and the layers below. The server feeds bytes in and performs what comes out.

Theory of operation. Everything that leaves a connection goes through ``out``: ready messages as
``bytes``, and rare actions (``Forwarded``, ``Close``, ``Crashed``). A request is parsed, looked up
and answered in one pass without objects in between; only a ``Forward`` opens a *ticket*, which
``resolve`` closes. The members of a batch run one after the other; a ticket suspends the batch.

A notice has three ways. *Direct*: nothing waits on this connection, the server writes it itself.
*Queued*: the outlet is congested; the notice waits until ``relieve``. *Held*: its subscription was
opened inside a batch whose answer has not left yet; it waits for that answer. Three laws follow:
the reply with a subscription id leaves before its first notice; notices of one subscription keep
their order; after an unsubscribe reply no notice of that subscription leaves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from twisted_chainws.dialects.base import (
    Batch,
    Call,
    Dialect,
    Fault,
    Forward,
    Inspect,
    Install,
    Json,
    Limits,
    Notice,
    Outcome,
    Poll,
    Request,
    Subscribe,
    Uninstall,
    Unsubscribe,
    View,
)
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry, Subscription

POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Somebody else must answer: perform ``call``, then ``resolve(ticket, answer)``."""

    ticket: int
    call: Call


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection; nothing follows."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """A handler broke; the peer was told nothing of it, the operator should be."""

    error: BaseException


Out: TypeAlias = list[Any]
"""``bytes`` (one whole message each) and actions, in the order in which they leave."""


class _Batch:
    """A batch under way: what is left, what was answered, who waits for the answer."""

    __slots__ = ("held", "replies", "requests", "size")

    def __init__(self, requests: Iterator[Request]) -> None:
        self.requests = requests
        self.replies: list[bytes] = []
        self.size = 0
        self.held: list[Subscription] = []


_Ticket: TypeAlias = tuple[Any, _Batch | None, Callable[[Any], Any]]


class Session:
    """The state of one connection.

    Attributes:
        direct: True while the server may write notices straight to the socket.
    """

    __slots__ = (
        "_congested", "_congested_since", "_dialect", "_forwards", "_held", "_limits",
        "_methods", "_next_ticket", "_notifications", "_parse", "_polled", "_queue",
        "_queued_bytes", "_queued_notices", "_registry", "_tickets", "_view", "closed", "direct",
        "owner",
    )  # fmt: skip

    def __init__(
        self,
        *,
        dialect: Dialect,
        view: View,
        registry: Registry,
        polled: PolledFilters,
        owner: object,
        limits: Limits,
        notifications: bool = True,
        http: bool = False,
    ) -> None:
        self._dialect = dialect
        self._view = view
        self._registry = registry
        self._polled = polled
        self._limits = limits
        self._notifications = notifications
        face = dialect.http if http else None
        self._methods = dialect.methods if face is None else face.methods
        self._parse = dialect.envelope.parse_http if http else dialect.envelope.parse
        self._tickets: dict[int, _Ticket] = {}
        self._next_ticket = 1
        self._forwards = 1 if dialect.replies_in_order else limits.open_forwards
        # Nearly always empty, and an empty deque weighs ten times as much as a list.
        self._queue: list[tuple[Subscription, Notice]] = []
        self._held: dict[Subscription, list[Notice]] = {}
        self._queued_notices = 0
        self._queued_bytes = 0
        self._congested = False
        self._congested_since: float | None = None
        self.owner = owner
        self.direct = True
        self.closed = False

    @property
    def busy(self) -> bool:
        """True while so many forwards are open that no further message should be read."""
        return len(self._tickets) >= self._forwards

    @property
    def idle(self) -> bool:
        """True when every request so far has been answered."""
        return not self._tickets

    @property
    def queued(self) -> int:
        """How many notices wait."""
        return self._queued_notices

    def receive(self, data: bytes, now: float, out: Out) -> None:
        """Take one whole message from the peer."""
        if self.closed:
            return
        parsed = self._parse(data, self._limits)
        if parsed.__class__ is tuple:
            token, method, params, fault = parsed
            if fault is not None:
                out.append(self._dialect.envelope.render_fault(token, fault))
                return
            self._settle(token, None, self._evaluate(method, params, out), now, out)
        elif isinstance(parsed, Batch):
            self._run(_Batch(iter(parsed.requests)), now, out)

    def resolve(self, ticket: int, answer: object, now: float, out: Out) -> None:
        """Take the answer of a forwarded call: a value, or the exception it ended with."""
        entry = self._tickets.pop(ticket, None)
        if entry is None or self.closed:
            return
        token, batch, then = entry
        if isinstance(answer, BaseException):
            outcome = self._fault_of(answer, out)
        else:
            outcome = self._guarded(then, answer, out)
        if self._settle(token, batch, outcome, now, out) and batch is not None:
            self._run(batch, now, out)

    def deliver(self, subscription: Subscription, notice: Notice, out: Out) -> None:
        """Take a notice that could not be written directly; it waits, or leaves, in order."""
        if not subscription.active or self.closed:
            return
        held = self._held.get(subscription)
        if held is not None:
            held.append(notice)
        elif self._congested or self._queue:
            self._queue.append((subscription, notice))
        else:
            out.append(_text(subscription, notice))
            return
        self._queued_notices += 1
        self._queued_bytes += notice.size
        self._check_bounds(out)

    def congest(self) -> None:
        """Note that the outlet takes no more for now."""
        self._congested = True
        self.direct = False

    def relieve(self, out: Out, budget: int) -> None:
        """Note that the outlet takes more, and move waiting notices to ``out``.

        Args:
            out: receives the messages.
            budget: stop after about so many bytes; call again when they are gone.
        """
        self._congested = False
        self._congested_since = None
        taken = 0
        for subscription, notice in self._queue:
            if budget <= 0:
                break
            out.append(_text(subscription, notice))
            budget -= notice.size
            self._queued_bytes -= notice.size
            taken += 1
        del self._queue[:taken]
        self._queued_notices -= taken
        self._settle_direct()

    def tick(self, now: float, out: Out) -> None:
        """Close a reader that has taken nothing for long."""
        if not self._congested or not self._queue:
            self._congested_since = None
        elif self._congested_since is None:
            self._congested_since = now
        elif now - self._congested_since >= self._limits.stalled_s:
            self._fail(f"nothing read for {self._limits.stalled_s:g} s", out)

    def close(self) -> None:
        """Forget everything: subscriptions, open forwards, waiting notices."""
        self.closed = True
        self.direct = False
        self._registry.drop_owner(self)
        self._tickets.clear()
        self._queue.clear()
        self._held.clear()
        self._queued_notices = self._queued_bytes = 0

    # Requests

    def _evaluate(self, method: str, params: Any, out: Out) -> Outcome | Fault | Json:
        handler = self._methods.get(method)
        if handler is None:
            return self._dialect.faults.unknown_method(method)
        try:
            return handler(self._view, params)
        except Exception as error:  # noqa: BLE001 - our own bug must not end the connection
            return self._fault_of(error, out)

    def _guarded(self, step: Callable[[Any], Any], value: Any, out: Out) -> Any:
        try:
            return step(value)
        except Exception as error:  # noqa: BLE001 - our own bug must not end the connection
            return self._fault_of(error, out)

    def _fault_of(self, error: BaseException, out: Out) -> Fault:
        if isinstance(error, ChainwsError):
            return self._dialect.faults.of(error)
        out.append(Crashed(error))
        return self._dialect.faults.internal

    def _settle(self, token: Any, batch: _Batch | None, outcome: Any, now: float, out: Out) -> bool:
        """Bring an outcome to its reply; False when a ticket was opened instead."""
        initial: tuple[Subscription, Subscribe] | None = None
        while isinstance(outcome, Outcome):
            if isinstance(outcome, Forward):
                ticket, self._next_ticket = self._next_ticket, self._next_ticket + 1
                self._tickets[ticket] = (token, batch, outcome.then)
                out.append(Forwarded(ticket, outcome.call))
                return False
            if isinstance(outcome, Subscribe):
                request = outcome
                outcome = self._guarded(self._subscribe, request, out)
                if isinstance(outcome, Subscription):
                    initial, outcome = (outcome, request), outcome.id
            else:
                outcome = self._guarded(lambda step: self._perform(step, now), outcome, out)
        self._reply(token, batch, outcome, out)
        if initial is not None:
            self._open(*initial, batch, out)
        return True

    def _perform(self, outcome: Outcome, now: float) -> Any:
        """Do what an outcome asks of this connection or of the polled filters."""
        if isinstance(outcome, Unsubscribe):
            removed = self._registry.remove(self, outcome.subscription_id)
            if removed is not None:
                self._forget(removed)
            return outcome.then(removed is not None)
        if isinstance(outcome, Install):
            return self._polled.install(outcome.filter, outcome.encode, now)
        if isinstance(outcome, Poll):
            items = self._polled.poll(outcome.filter_id, now)
            return [orjson.Fragment(encode(self._view, item)) for encode, item in items]
        if isinstance(outcome, Inspect):
            return outcome.then(self._polled.inspect(outcome.filter_id))
        if isinstance(outcome, Uninstall):
            return self._polled.uninstall(outcome.filter_id)
        raise TypeError(f"no way to perform {type(outcome).__name__}")

    def _reply(self, token: Any, batch: _Batch | None, outcome: Any, out: Out) -> None:
        if token is None:
            return
        envelope = self._dialect.envelope
        if outcome.__class__ is Fault:
            reply = envelope.render_fault(token, outcome)
        else:
            try:
                reply = envelope.render_result(token, outcome)
            except Exception as error:  # noqa: BLE001 - a result that is no JSON is our bug
                reply = envelope.render_fault(token, self._fault_of(error, out))
        if batch is None:
            out.append(reply)
        else:
            batch.replies.append(reply)
            batch.size += len(reply)

    def _run(self, batch: _Batch, now: float, out: Out) -> None:
        """Run a batch until it is suspended or answered."""
        limit = self._limits.batch_response_bytes
        for token, method, params, fault in batch.requests:
            if fault is not None:
                outcome: Any = fault
            elif batch.size > limit:
                outcome = self._dialect.faults.response_too_large
            else:
                outcome = self._evaluate(method, params, out)
            if not self._settle(token, batch, outcome, now, out):
                return
        if batch.replies:
            out.append(self._dialect.envelope.render_batch(batch.replies))
        self._release(batch, out)

    # Subscriptions

    def _subscribe(self, request: Subscribe) -> Subscription | Fault:
        if not self._notifications:
            return self._dialect.faults.notifications_unsupported
        return self._registry.add(
            request.filter,
            request.encode,
            self,
            cursor=request.cursor,
            max_subscriptions=self._limits.subscriptions,
            max_alternatives=self._limits.alternatives,
        )

    def _open(
        self, subscription: Subscription, request: Subscribe, batch: _Batch | None, out: Out
    ) -> None:
        """Start a subscription after its reply: at once, or when the batch answer has left."""
        if batch is not None:
            batch.held.append(subscription)
            self._held[subscription] = []
            self.direct = False
        render = self._dialect.envelope.render_notice
        for item in request.initial:
            self.deliver(subscription, render(request.encode(self._view, item), None), out)

    def _release(self, batch: _Batch, out: Out) -> None:
        """Let go what waited for the answer of this batch."""
        for subscription in batch.held:
            for notice in self._held.pop(subscription, ()):
                self._queued_notices -= 1
                self._queued_bytes -= notice.size
                self.deliver(subscription, notice, out)
        if batch.held:
            self._settle_direct()

    def _forget(self, subscription: Subscription) -> None:
        """Drop what waits for a subscription that was closed."""
        gone = self._held.pop(subscription, [])
        if self._queue:
            gone += [notice for waiting, notice in self._queue if waiting is subscription]
            self._queue = [entry for entry in self._queue if entry[0] is not subscription]
        self._queued_notices -= len(gone)
        self._queued_bytes -= sum(notice.size for notice in gone)
        self._settle_direct()

    def _settle_direct(self) -> None:
        self.direct = not (self._congested or self._queue or self._held or self.closed)

    def _check_bounds(self, out: Out) -> None:
        if (
            self._queued_notices >= self._limits.queued_notices
            or self._queued_bytes >= self._limits.queued_bytes
        ):
            self._fail("notification buffer overflow", out)

    def _fail(self, reason: str, out: Out) -> None:
        self.close()
        out.append(Close(POLICY_VIOLATION, reason))


def _text(subscription: Subscription, notice: Notice) -> bytes:
    return notice.head + subscription.wire_id + notice.tail
