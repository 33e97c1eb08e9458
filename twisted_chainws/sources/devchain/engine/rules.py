"""The virtual machine of each fork: py-evm's for the old ones, ours from Prague on.

Blocks are made by the rules of Prague and later ones only; under older rules they are imported,
read, and called on. A seal is never checked: neither work nor stake.
"""

from functools import cache
from typing import Any, Final

from eth.consensus.noproof import NoProofConsensus
from eth.vm import forks

from twisted_chainws.chain.forks import Fork
from twisted_chainws.sources.devchain.engine.osaka import OsakaVM
from twisted_chainws.sources.devchain.engine.preimages import NamingAccountDB
from twisted_chainws.sources.devchain.engine.vm import DevState, DevVM

_STOCK: Final[dict[str, Any]] = {
    "frontier": forks.FrontierVM,
    "homestead": forks.HomesteadVM,
    "tangerine": forks.TangerineWhistleVM,
    "spurious": forks.SpuriousDragonVM,
    "byzantium": forks.ByzantiumVM,
    "constantinople": forks.ConstantinopleVM,
    "petersburg": forks.PetersburgVM,
    "istanbul": forks.IstanbulVM,
    "muir_glacier": forks.MuirGlacierVM,
    "berlin": forks.BerlinVM,
    "london": forks.LondonVM,
    "arrow_glacier": forks.ArrowGlacierVM,
    "gray_glacier": forks.GrayGlacierVM,
    "paris": forks.ParisVM,
    "shanghai": forks.ShanghaiVM,
    "cancun": forks.CancunVM,
}
_OURS: Final[dict[str, type[DevVM]]] = {"prague": DevVM, "osaka": OsakaVM}


@cache
def vm_class(fork: Fork, deposit_contract: bytes) -> Any:
    """Return the class of the machine that runs the blocks of a fork.

    Args:
        fork: any of a schedule.
        deposit_contract: 20 bytes, of the schedule.
    """
    ours = _OURS.get(fork.rules)
    if ours is None:
        return _past(_STOCK[fork.rules], fork)
    if fork.blobs in {None, ours.blobs} and deposit_contract == ours.deposit_contract:
        return ours
    state = type("DevState", (ours._state_class,), {"fork": fork})  # noqa: SLF001
    members = {"_state_class": state, "deposit_contract": deposit_contract, "blobs": fork.blobs}
    return type("DevVM", (ours,), members)


def _past(stock: Any, fork: Fork) -> Any:
    base = stock._state_class  # noqa: SLF001
    members: dict[str, Any] = {
        "fork": fork,
        "account_db_class": NamingAccountDB,
        "blob_base_fee_override": None,
        "blob_base_fee": DevState.blob_base_fee,
        # py-evm would write the code of system contracts into every fresh state.
        "set_system_contracts": lambda _state: None,
    }
    if not fork.has("london"):
        members["base_fee"] = 0
    state = type(base.__name__, (base,), members)
    return type(
        stock.__name__, (stock,), {"consensus_class": NoProofConsensus, "_state_class": state}
    )
