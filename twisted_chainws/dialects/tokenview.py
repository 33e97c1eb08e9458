"""Tokenview: the Ethereum dialect with one more subscription. Sans-I/O.

Source: ``ethereum.md`` 2.8, 2.9 (Tokenview's "Subscription API Quickstart").
"""

from collections.abc import Mapping
from typing import Final

from twisted_chainws.dialects import ethereum
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.ethereum import parties
from twisted_chainws.dialects.ethereum.topics import Topic
from twisted_chainws.dialects.view import Profile

TOPICS: Final[Mapping[str, Topic]] = {
    "tokenview_pendingTransactions": parties.pending_transactions,
    "okenview_pendingTransactions": parties.pending_transactions,
}
"""The second name is how the quickstart misspells the first in one place."""


def extend(dialect: Dialect) -> Dialect:
    """Add Tokenview's names to an Ethereum dialect."""
    return ethereum.extend(dialect, topics=TOPICS)


def make() -> Dialect:
    """Return the dialect as Tokenview speaks it."""
    return extend(ethereum.make(Profile.TOKENVIEW))
