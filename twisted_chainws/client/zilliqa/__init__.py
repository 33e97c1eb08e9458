"""The client for Zilliqa nodes."""

from twisted_chainws.client.zilliqa.client import ZilliqaClient, zilliqa_client
from twisted_chainws.client.zilliqa.payments import encode_request, sender_of, sign_payment
from twisted_chainws.client.zilliqa.subscription import Subscription
from twisted_chainws.client.zilliqa.values import (
    ContractEvent,
    Event,
    Gap,
    Reset,
    Transfer,
    TxBlock,
)
from twisted_chainws.dialects.zilliqa.transaction import ethereum_chain_id

__all__ = [
    "ContractEvent",
    "Event",
    "Gap",
    "Reset",
    "Subscription",
    "Transfer",
    "TxBlock",
    "ZilliqaClient",
    "encode_request",
    "ethereum_chain_id",
    "sender_of",
    "sign_payment",
    "zilliqa_client",
]
