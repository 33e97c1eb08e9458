"""Clients that follow a chain over any number of connections, for Twisted and asyncio."""

from twisted_chainws.client.errors import (
    BadAnswer,
    ChainChanged,
    ClientClosed,
    ClientError,
    ConnectionLost,
    GaveUp,
    Misuse,
    QueueOverflow,
    RequestTimeout,
    RpcError,
)
from twisted_chainws.client.ethereum import (
    EthereumClient,
    Event,
    Gap,
    Head,
    HeadRemoved,
    Log,
    Subscription,
    ethereum_client,
    revert_data,
    revert_reason,
)
from twisted_chainws.client.ontology import OntologyClient, ontology_client
from twisted_chainws.client.options import BACKOFF, WEB_SOCKET, ClientOptions
from twisted_chainws.client.status import ClientEvent, Counters, State, Status
from twisted_chainws.client.zilliqa import ZilliqaClient, zilliqa_client

__all__ = [
    "BACKOFF",
    "WEB_SOCKET",
    "BadAnswer",
    "ChainChanged",
    "ClientClosed",
    "ClientError",
    "ClientEvent",
    "ClientOptions",
    "ConnectionLost",
    "Counters",
    "EthereumClient",
    "Event",
    "Gap",
    "GaveUp",
    "Head",
    "HeadRemoved",
    "Log",
    "Misuse",
    "OntologyClient",
    "QueueOverflow",
    "RequestTimeout",
    "RpcError",
    "State",
    "Status",
    "Subscription",
    "ZilliqaClient",
    "ethereum_client",
    "ontology_client",
    "revert_data",
    "revert_reason",
    "zilliqa_client",
]
