"""What one connection holds in the tables that all connections of its dialect share. Sans-I/O.

Imports only base and the layers below. Outcomes that open, change or look up something there are
performed here; what a connection itself holds back or waits for is its session's.
"""

from typing import Any

import orjson

from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.outcomes import (
    Adjust,
    Disregard,
    Expect,
    Fault,
    Inspect,
    Install,
    Json,
    Leave,
    Outcome,
    Poll,
    Subscribe,
    Uninstall,
    Watch,
)
from twisted_chainws.dialects.view import View
from twisted_chainws.subscriptions.polled import PolledFilters
from twisted_chainws.subscriptions.registry import Registry, Subscription


class Holdings:
    """One connection's subscriptions, watches, interest and expectations.

    Args:
        owner: under which they are held, usually the session.
        view: what encoders read.
        registry: the subscriptions of the dialect.
        polled: its polled filters, which belong to no connection.
        limits: of the connection.
        refusal: what asking for notifications is answered with; None where they can be delivered.
    """

    __slots__ = ("_limits", "_owner", "_polled", "_refusal", "_registry", "_view")

    def __init__(
        self,
        *,
        owner: object,
        view: View,
        registry: Registry,
        polled: PolledFilters,
        limits: Limits,
        refusal: Fault | None,
    ) -> None:
        self._owner = owner
        self._view = view
        self._registry = registry
        self._polled = polled
        self._limits = limits
        self._refusal = refusal

    def subscribe(self, request: Subscribe) -> Subscription | Fault:
        """Open a subscription; may raise what ``Registry.add`` does."""
        if self._refusal is not None:
            return self._refusal
        return self._registry.add(
            request.filter,
            request.encode,
            self._owner,
            cursor=request.cursor,
            max_subscriptions=self._limits.subscriptions,
            max_alternatives=self._limits.alternatives,
        )

    def unsubscribe(self, subscription_id: str) -> Subscription | None:
        """Close a subscription; None when there is none of this id."""
        return self._registry.remove(self._owner, subscription_id)

    def perform(self, outcome: Outcome, now: float) -> Outcome | Json:
        """Do what an outcome asks for and return what comes of it; raises ChainwsError."""
        if isinstance(outcome, Watch | Leave | Adjust | Expect | Disregard):
            return self._listen(outcome, now) if self._refusal is None else self._refusal
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

    def drop(self) -> None:
        """Let everything go."""
        self._registry.drop_owner(self._owner)

    def _listen(self, outcome: Watch | Leave | Adjust | Expect | Disregard, now: float) -> Any:
        """Change what the connection is told of."""
        owner, limits, interests = self._owner, self._limits, self._registry.interests
        if isinstance(outcome, Adjust):
            interest = outcome.change(interests.get(owner))
            interests.set(owner, interest, max_keys=limits.alternatives)
            return outcome.then(interest)
        if isinstance(outcome, Expect):
            interests.expect(
                owner,
                outcome.transaction_hash,
                now,
                lifetime_s=limits.expectation_s,
                most=limits.expectations,
            )
            return outcome.go_on
        if isinstance(outcome, Disregard):
            interests.disregard(owner, outcome.transaction_hash)
            return outcome.go_on
        if isinstance(outcome, Leave):
            self._registry.watches.leave(owner, outcome.topic)
            return None
        self._registry.watches.watch(
            owner,
            outcome.topic,
            outcome.addresses,
            cursor=outcome.cursor,
            max_topics=limits.subscriptions,
            max_addresses=limits.alternatives,
        )
        return outcome.reply
