"""One connection, sans-I/O: what may be said, in which order, and how much may wait.

Imports only base and the layers below. The server feeds bytes in and performs what comes out.

Theory of operation. Everything that leaves a connection goes through ``out``: ready messages as
``bytes``, and rare actions (``Forwarded``, ``Close``, ``Crashed``). A request is parsed, looked up
and answered in one pass without objects in between; only a ``Forward`` opens a *ticket*, which
``resolve`` closes. The members of a batch run one after the other; a ticket suspends the batch.

A notice has three ways. *Direct*: nothing waits on this connection, the server writes it itself.
*Queued*: the outlet is congested; the notice waits until ``relieve``. *Held*: its subscription was
opened inside a batch whose answer has not left yet; it waits for that answer (``backlog``). Three
laws follow: the reply with a subscription id leaves before its first notice; notices of one
subscription keep their order; after an unsubscribe reply no notice of that subscription leaves.
Where a block is one message for each connection (``gathering``), topics are watched and left
instead: that message is a notice of the connection, and the next one after a leave still comes.
Where each connection has one interest (``pushing``), its pushes are notices of the connection, and
those on their way when it changes its interest still come. A dialect may let notices wait for
replies: while a ticket is open, they are queued.

A request may be refused before its handler sees it: too many are unanswered, or its account has no
compute units left. That costs others nothing and is told under its id.

A connection that asks for nothing may be closed for it. Only requests count, whatever becomes of
them; messages that name no method do not.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from twisted_chainws.dialects.actions import Close, Crashed, Forwarded, Out
from twisted_chainws.dialects.backlog import Backlog, text_of
from twisted_chainws.dialects.base import Batch, Dialect, Request
from twisted_chainws.dialects.holdings import Holdings
from twisted_chainws.dialects.limits import Account, Limits
from twisted_chainws.dialects.notice import Notice, Recipient
from twisted_chainws.dialects.outcomes import (
    Fault,
    Forward,
    Json,
    Outcome,
    Subscribe,
    Unsubscribe,
)
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import ChainwsError
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry, Subscription

NORMAL: Final = 1000
POLICY_VIOLATION: Final = 1008


class _Batch:
    """A batch under way: what is left, what was answered, who waits for the answer."""

    __slots__ = ("held", "replies", "requests", "size")

    def __init__(self, requests: Iterator[Request]) -> None:
        self.requests = requests
        self.replies: list[bytes] = []
        self.size = 0
        self.held: list[Subscription] = []


_Ticket: TypeAlias = tuple[Any, _Batch | None, Forward]


class Session:
    """The state of one connection.

    Attributes:
        owner: who feeds it.
        backlog: notices that wait, and figures about them.
        direct: True while the server may write notices straight to the socket.
        fault: the last one that was a whole reply; None while there was none.
    """

    __slots__ = (
        "_account", "_asked", "_dialect", "_envelope", "_forwards", "_gated", "_holdings",
        "_limits", "_methods", "_next_ticket", "_notices_wait", "_notifications", "_parse",
        "_tickets", "_view", "backlog", "closed", "direct", "fault", "owner",
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
        account: Account | None = None,
        notifications: bool = True,
        http: bool = False,
        now: float = 0.0,
    ) -> None:
        self._dialect = dialect
        self._view = view
        self._holdings = Holdings(
            owner=self,
            view=view,
            registry=registry,
            polled=polled,
            limits=limits,
            refusal=None if notifications else dialect.faults.notifications_unsupported,
        )
        self._limits = limits
        self._account = account
        self._gated = account is not None or limits.concurrent_requests > 0
        self._notifications = notifications
        face = dialect.http if http else None
        self._methods = dialect.methods if face is None else face.methods
        self._envelope = (face and face.envelope) or dialect.envelope
        self._parse = self._envelope.parse_http if http else self._envelope.parse
        self._tickets: dict[int, _Ticket] = {}
        self._next_ticket = 1
        self._forwards = 1 if dialect.replies_in_order else limits.open_forwards
        self._notices_wait = dialect.notices_wait
        self._asked = now
        self.backlog = Backlog()
        self.owner = owner
        self.fault: Fault | None = None
        self.direct = True
        self.closed = False
        if notifications:
            view.sessions += 1

    @property
    def busy(self) -> bool:
        """True while so many forwards are open that no further message should be read."""
        return len(self._tickets) >= self._forwards

    @property
    def idle(self) -> bool:
        """True when every request so far has been answered."""
        return not self._tickets

    def receive(self, data: bytes, now: float, out: Out) -> None:
        """Take one whole message from the peer."""
        if self.closed:
            return
        parsed = self._parse(data, self._limits)
        if parsed.__class__ is tuple:
            token, method, params, fault = parsed
            if method:
                self._asked = now
            if fault is not None:
                self._refuse(token, fault, out)
                return
            self._settle(token, None, self._evaluate(method, params, now, out), now, out)
        elif isinstance(parsed, Batch):
            if any(method for _, method, _, _ in parsed.requests):
                self._asked = now
            self._run(_Batch(iter(parsed.requests)), now, out)

    def resolve(self, ticket: int, answer: object, now: float, out: Out) -> None:
        """Take the answer of a forwarded call: a value, or the exception it ended with."""
        entry = self._tickets.pop(ticket, None)
        if entry is None or self.closed:
            return
        token, batch, asked = entry
        if not isinstance(answer, BaseException):
            outcome = self._guarded(asked.then, answer, out)
        elif asked.rescue is not None and isinstance(answer, ChainwsError):
            outcome = self._guarded(asked.rescue, answer, out)
        else:
            outcome = self._fault_of(answer, out)
        if self._settle(token, batch, outcome, now, out) and batch is not None:
            self._run(batch, now, out)
        if self._notices_wait and not self._tickets:
            self.backlog.unblock(out)
            self._settle_direct()

    def deliver(self, subscription: Recipient, notice: Notice, out: Out) -> None:
        """Take a notice that could not be written directly; it waits, or leaves, in order."""
        if not subscription.active or self.closed:
            return
        if not self.backlog.keep(subscription, notice):
            out.append(text_of(subscription, notice))
        elif self.backlog.full(self._limits):
            self._fail(POLICY_VIOLATION, "notification buffer overflow", out)

    def congest(self) -> None:
        """Note that the outlet takes no more for now."""
        self.backlog.congest()
        self.direct = False

    def relieve(self, out: Out, budget: int) -> None:
        """Note that the outlet takes more, and move waiting notices to ``out``.

        Args:
            out: receives the messages.
            budget: stop after about so many bytes; call again when they are gone.
        """
        self.backlog.relieve(out, budget)
        self._settle_direct()

    def tick(self, now: float, out: Out) -> None:
        """Close a reader that has taken nothing for long, and who has asked for nothing."""
        limits = self._limits
        if self.closed:
            return
        if self.backlog.stalled(now, limits.stalled_s):
            self._fail(POLICY_VIOLATION, f"nothing read for {limits.stalled_s:g} s", out)
        elif limits.idle_s and now - self._asked > limits.idle_s:
            expired = self._dialect.faults.expired
            if expired is not None:
                out.append(self._envelope.render_fault(None, expired))
            self._fail(NORMAL, f"nothing asked for {limits.idle_s:g} s", out)

    def unsubscribe(self, subscription_id: str) -> bool:
        """Close a subscription, whoever asks for it; False when there is none of this id."""
        removed = self._holdings.unsubscribe(subscription_id)
        if removed is None:
            return False
        self.backlog.forget(removed)
        self._settle_direct()
        return True

    def close(self) -> None:
        """Forget everything: subscriptions, open forwards, waiting notices."""
        if self._notifications and not self.closed:
            self._view.sessions -= 1
        self.closed = True
        self.direct = False
        self._holdings.drop()
        self._tickets.clear()
        self.backlog.drop()

    # Requests

    def _refuse(self, token: Any, fault: Fault, out: Out) -> None:
        """Answer a message that is no request; some dialects end the connection over it."""
        self.fault = fault
        out.append(self._envelope.render_fault(token, fault))
        if fault.code in self._dialect.fatal:
            self._fail(NORMAL, "", out)

    def _evaluate(self, method: str, params: Any, now: float, out: Out) -> Outcome | Fault | Json:
        if self._gated:
            refused = self._gate(method, now)
            if refused is not None:
                return refused
        handler = self._methods.get(method)
        if handler is None:
            return self._dialect.faults.unknown_method(method)
        try:
            return handler(self._view, params)
        except Exception as error:  # noqa: BLE001 - our own bug must not end the connection
            return self._fault_of(error, out)

    def _gate(self, method: str, now: float) -> Fault | None:
        """Return why a request is not even looked at, or None when it is."""
        most = self._limits.concurrent_requests
        if most and len(self._tickets) >= most:
            return self._dialect.faults.too_many_requests
        if self._account is not None:
            costs = self._dialect.costs
            if not self._account.spend(costs.methods.get(method, costs.default), now):
                return self._dialect.faults.throughput_exceeded
        return None

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
                self._tickets[ticket] = (token, batch, outcome)
                out.append(Forwarded(ticket, outcome.call))
                if self._notices_wait:
                    self.backlog.block()
                    self.direct = False
                return False
            if isinstance(outcome, Subscribe):
                request = outcome
                outcome = self._guarded(self._holdings.subscribe, request, out)
                if isinstance(outcome, Subscription):
                    initial, outcome = (outcome, request), outcome.id
            else:
                outcome = self._guarded(lambda step: self._perform(step, now), outcome, out)
        self._reply(token, batch, outcome, out)
        if initial is not None:
            self._open(*initial, batch, out)
        return True

    def _perform(self, outcome: Outcome, now: float) -> Any:
        """Do what an outcome asks of this connection or of what all of its dialect share."""
        if isinstance(outcome, Unsubscribe):
            return outcome.then(self._unsubscribe_own(outcome.subscription_id))
        return self._holdings.perform(outcome, now)

    def _unsubscribe_own(self, subscription_id: str) -> bool:
        """Close a subscription for its own client; over HTTP, that of a connection of its key."""
        if self._notifications or self._account is None:
            return self.unsubscribe(subscription_id)
        return self._account.unsubscribe(subscription_id)

    def _reply(self, token: Any, batch: _Batch | None, outcome: Any, out: Out) -> None:
        if token is None:
            return
        envelope = self._envelope
        if outcome.__class__ is not Fault:
            try:
                reply = envelope.render_result(token, outcome)
            except Exception as error:  # noqa: BLE001 - a result that is no JSON is our bug
                outcome = self._fault_of(error, out)
        if outcome.__class__ is Fault:
            if batch is None:
                self.fault = outcome
            reply = envelope.render_fault(token, outcome)
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
                outcome = self._evaluate(method, params, now, out)
            if not self._settle(token, batch, outcome, now, out):
                return
        if batch.replies:
            out.append(self._envelope.render_batch(batch.replies))
        self._release(batch, out)

    # Subscriptions

    def _open(
        self, subscription: Subscription, request: Subscribe, batch: _Batch | None, out: Out
    ) -> None:
        """Start a subscription after its reply: at once, or when the batch answer has left."""
        if batch is not None:
            batch.held.append(subscription)
            self.backlog.hold(subscription)
            self.direct = False
        render = self._envelope.render_notice
        for item in request.initial:
            self.deliver(subscription, render(request.encode(self._view, item), None), out)

    def _release(self, batch: _Batch, out: Out) -> None:
        """Let go what waited for the answer of this batch."""
        for subscription in batch.held:
            for notice in self.backlog.release(subscription):
                self.deliver(subscription, notice, out)
        if batch.held:
            self._settle_direct()

    def _settle_direct(self) -> None:
        self.direct = self.backlog.free and not self.closed

    def _fail(self, code: int, reason: str, out: Out) -> None:
        self.close()
        out.append(Close(code, reason))
