"""The client for Ethereum nodes."""

from twisted_chainws.client.ethereum.client import EthereumClient, ethereum_client
from twisted_chainws.client.ethereum.reverts import revert_data, revert_reason
from twisted_chainws.client.ethereum.subscription import Subscription
from twisted_chainws.client.ethereum.values import Event, Gap, Head, HeadRemoved, Log

__all__ = [
    "EthereumClient",
    "Event",
    "Gap",
    "Head",
    "HeadRemoved",
    "Log",
    "Subscription",
    "ethereum_client",
    "revert_data",
    "revert_reason",
]
