"""All actions, those about the node, and the record of the dialect itself. Sans-I/O.

There are no peers: a node without any says that it is connected to one.

Source: ``ontology.md`` 1.1, 3, 4.3, 4.18, 4.24 and 4.25.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from twisted_chainws.chain.ops import Advance
from twisted_chainws.dialects.base import Dialect
from twisted_chainws.dialects.limits import Limits
from twisted_chainws.dialects.ontology.accounts import ACCOUNTS
from twisted_chainws.dialects.ontology.blocks import BLOCKS
from twisted_chainws.dialects.ontology.contracts import CONTRACTS
from twisted_chainws.dialects.ontology.decode import Message
from twisted_chainws.dialects.ontology.envelope import ENVELOPE, claims
from twisted_chainws.dialects.ontology.errors import FAULTS
from twisted_chainws.dialects.ontology.options import DEFAULTS, Options
from twisted_chainws.dialects.ontology.pool import pool_of
from twisted_chainws.dialects.ontology.projection import OntologyLedger
from twisted_chainws.dialects.ontology.sending import SENDING
from twisted_chainws.dialects.ontology.subscribing import SUBSCRIBING
from twisted_chainws.dialects.ontology.topics import TOPICS, push
from twisted_chainws.dialects.outcomes import Handler
from twisted_chainws.dialects.view import SERVER, View
from twisted_chainws.subscriptions.events import ChainEvent

DEFAULT_PORT: Final = 20335

LIMITS: Final = Limits(message_bytes=1_048_576, idle_s=300.0, connections=3_001)
"""Those of a node, which looks whether more than 3,000 are there before it takes one more."""

PEERS: Final = 1


def get_connection_count(_view: View, _message: Message) -> int:
    """Answer ``getconnectioncount``."""
    return PEERS


def get_session_count(view: View, _message: Message) -> int:
    """Answer ``getsessioncount``, who asks included."""
    return view.sessions


def get_version(_view: View, _message: Message) -> str:
    """Answer ``getversion``: of this server."""
    return SERVER


def _network(options: Options) -> Handler:
    """Make ``getnetworkid``."""
    return lambda _view, _message: options.network


def methods_of(options: Options) -> Mapping[str, Handler]:
    """Return all actions."""
    return {
        **ACCOUNTS,
        **BLOCKS,
        **CONTRACTS,
        **SENDING,
        **SUBSCRIBING,
        **pool_of(options.pool_hashes),
        "getconnectioncount": get_connection_count,
        "getnetworkid": _network(options),
        "getsessioncount": get_session_count,
        "getversion": get_version,
    }


def announce(_advance: Advance) -> Iterable[ChainEvent]:
    """Announce nothing to subscriptions: there are none."""
    return ()


def make(options: Options = DEFAULTS) -> Dialect:
    """Return the dialect as the operator chose it."""
    return Dialect(
        name="ontology",
        title="Ontology WebSocket",
        default_port=DEFAULT_PORT,
        envelope=ENVELOPE,
        methods=methods_of(options),
        topics=TOPICS,
        faults=FAULTS,
        projection=OntologyLedger,
        announce=announce,
        http=None,
        limits=LIMITS,
        claims=claims,
        replies_in_order=True,
        subprotocols=None,
        push=push,
        notices_wait=True,
        greeting=None,
        any_path=True,
    )
