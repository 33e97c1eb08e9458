"""Actions about what a connection is told of: one interest, which is merged into. Sans-I/O.

A client may name contracts under the misspelled member of older documents, which nodes ignore.

Source: ``ontology.md`` 4.1, 4.2 and 5.1; the node's ``http/websocket/websocket/server.go``,
26b5ad4f.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from twisted_chainws.dialects.ontology import shapes
from twisted_chainws.dialects.ontology.decode import Message
from twisted_chainws.dialects.ontology.errors import INVALID_PARAMS, fault
from twisted_chainws.dialects.ontology.topics import (
    EVENT,
    JSON_BLOCK,
    RAW_BLOCK,
    TOPICS,
    TX_HASHES,
)
from twisted_chainws.dialects.outcomes import Adjust, Handler, Refused
from twisted_chainws.dialects.view import View
from twisted_chainws.subscriptions.interests import Interest

CONTRACTS: Final = "ContractsFilter"
MISSPELLED: Final = "ConstractsFilter"
CURSOR: Final = "Cursor"
RESUME_FROM: Final = "ResumeFrom"


def heartbeat(_view: View, _message: Message) -> Adjust:
    """Answer ``heartbeat``: what the connection is told of."""
    return Adjust(change=lambda interest: interest, then=encode_subscription)


def subscribe(_view: View, message: Message) -> Adjust:
    """Answer ``subscribe``: what the connection is told of from now on.

    Raises:
        Refused: it wants to go on from a cursor.
    """
    if message.get(RESUME_FROM) is not None:
        raise Refused(fault(INVALID_PARAMS, "not supported yet"))
    return Adjust(change=partial(merge, message), then=encode_subscription)


def merge(message: Message, interest: Interest) -> Interest:
    """Change what a request says something of; what is of a wrong type says nothing."""
    switched = {topic: message[topic] for topic in TOPICS if isinstance(message.get(topic), bool)}
    topics = {topic for topic in TOPICS if switched.get(topic, topic in interest.topics)}
    contracts = message.get(CONTRACTS if CONTRACTS in message else MISSPELLED)
    if isinstance(contracts, list):
        named = tuple(each for each in contracts if isinstance(each, str))
        interest = replace(interest, keys=named)
    cursor = message.get(CURSOR)
    if isinstance(cursor, bool):
        interest = replace(interest, cursor=cursor)
    return replace(interest, topics=frozenset(topics))


def encode_subscription(interest: Interest) -> shapes.Subscription:
    """Encode what a connection is told of."""
    return {
        "ContractsFilter": None if interest.keys is None else list(interest.keys),
        "SubscribeEvent": EVENT in interest.topics,
        "SubscribeJsonBlock": JSON_BLOCK in interest.topics,
        "SubscribeRawBlock": RAW_BLOCK in interest.topics,
        "SubscribeBlockTxHashs": TX_HASHES in interest.topics,
    }


SUBSCRIBING: Final[Mapping[str, Handler]] = {"heartbeat": heartbeat, "subscribe": subscribe}
