"""The client for Ontology nodes."""

from twisted_chainws.client.ontology.answers import (
    Balance,
    Contract,
    GasPrice,
    MempoolState,
    MerkleProof,
    PreExecution,
    Topics,
    Transaction,
    Verification,
)
from twisted_chainws.client.ontology.client import OntologyClient, ontology_client
from twisted_chainws.client.ontology.invocations import (
    Invocation,
    approve,
    claim_ong,
    raw_of,
    shown_hash,
    sign,
    transfer,
    transfer_from,
)
from twisted_chainws.client.ontology.keys import Key
from twisted_chainws.client.ontology.subscription import Subscription
from twisted_chainws.client.ontology.values import (
    Block,
    BlockHashes,
    Event,
    Gap,
    Log,
    Notice,
    Notify,
    RawBlock,
    Reset,
    TokenTransfer,
)

__all__ = [
    "Balance", "Block", "BlockHashes", "Contract", "Event", "Gap", "GasPrice", "Invocation", "Key",
    "Log", "MempoolState", "MerkleProof", "Notice", "Notify", "OntologyClient", "PreExecution",
    "RawBlock", "Reset", "Subscription", "TokenTransfer", "Topics", "Transaction", "Verification",
    "approve", "claim_ong", "ontology_client", "raw_of", "shown_hash", "sign", "transfer",
    "transfer_from",
]  # fmt: skip
