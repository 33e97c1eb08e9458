"""Actions about contracts: what was deployed, and what is stored. Sans-I/O.

There is no NeoVM and no WASM, so what genesis deploys is all there is: six native contracts. They
are found by their own addresses and by those of their deployments.

Source: ``ontology.md`` 4.11 and 4.13; the node's ``core/genesis/genesis.go``, 26b5ad4f.
"""

from collections.abc import Mapping
from typing import Final

from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology import shapes
from twisted_chainws.dialects.ontology.decode import (
    Message,
    decode_address,
    decode_hex,
    wants_raw,
)
from twisted_chainws.dialects.ontology.encode import encode_deploy
from twisted_chainws.dialects.ontology.errors import INTERNAL_ERROR, fault
from twisted_chainws.dialects.ontology.questions import STORAGE, ask
from twisted_chainws.dialects.ontology.tokens import NATIVE_CONTRACTS
from twisted_chainws.dialects.ontology.transaction import Deploy, VmType
from twisted_chainws.dialects.ontology.transaction import encode_deploy as write_deploy
from twisted_chainws.dialects.outcomes import Forward, Handler, Refused
from twisted_chainws.dialects.view import View


def _native(contract: str, name: str, description: str) -> tuple[Address20, Deploy]:
    address = NATIVE_CONTRACTS[contract]
    return address, Deploy(
        code=address,
        vm_flags=VmType.NEO,
        name=name.encode(),
        version=b"1.0",
        author=b"Ontology Team",
        email=b"contact@ont.io",
        description=description.encode(),
    )


DEPLOYED: Final[Mapping[Address20, Deploy]] = dict(
    [
        _native("ONT", "ONT", "Ontology Network ONT Token"),
        _native("ONG", "ONG", "Ontology Network ONG Token"),
        _native("PARAM", "ParamConfig", "Chain Global Environment Variables Manager "),
        _native("ONTID", "OID", "Ontology Network ONT ID"),
        _native("AUTH", "AuthContract", "Ontology Network Authorization Contract"),
        _native("GOVERNANCE", "CONFIG", "Ontology Network Consensus Config"),
    ]
)
"""Native contracts by their own addresses, in the order in which genesis deploys them."""

_FOUND: Final = {**DEPLOYED, **{each.address: each for each in DEPLOYED.values()}}


def get_contract(_view: View, message: Message) -> shapes.DeployPayload | str:
    """Answer ``getcontract``; an unknown one is a failure of the node, not a word for it."""
    contract = _FOUND.get(decode_address(message, "Hash"))
    if contract is None:
        raise Refused(fault(INTERNAL_ERROR))
    return write_deploy(contract).hex() if wants_raw(message) else encode_deploy(contract)


def get_storage(view: View, message: Message) -> Forward:
    """Answer ``getstorage``; an empty text where nothing is stored."""
    question = ask(
        view,
        STORAGE,
        contract=decode_address(message, "Hash"),
        key=decode_hex(message, "Key"),
    )
    return Forward(call=question, then=lambda answer: answer.removeprefix("0x"))


CONTRACTS: Final[Mapping[str, Handler]] = {
    "getcontract": get_contract,
    "getstorage": get_storage,
}
"""Actions about contracts."""
