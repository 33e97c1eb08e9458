"""What a development chain can be told, as one frozen value.

Imports nothing of the engine, which the parent does not have in its process.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from twisted_chainws.dialects.ontology.unbound import SOLO
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_MNEMONIC

WEI_PER_ETHER: Final = 10**18

_LARGEST_NETWORK: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DevchainSettings:
    """The settings of a development chain.

    Attributes:
        accounts: how many funded accounts of each family the mnemonic gives.
        balance_ether: what each of them owns at genesis, whole ether.
        gas_limit: of every block until it is changed.
        block_time: seconds between blocks of interval mining; None mines on submission.
        mining: False mines only on command.
        timestamp: of the genesis block, seconds since the epoch; None takes the clock.
        seed: together with ``timestamp`` makes every block a function of the input: block n is
            of ``timestamp + n * (block_time or 1)``; None draws the randomness of each block.
        data_dir: directory of the database; None keeps it in a private temporary directory.
        genesis_file: path of a genesis file of go-ethereum, whose chain this is; None makes block
            0 of the settings above.
        import_file: path of a file of encoded blocks to begin with; None begins at genesis.
        hardfork: only ``prague`` is implemented, where no genesis file tells.
        call_timeout_s: how long a call or an estimate may run.
        call_gas_cap: gas of a call that names none, and its upper bound.
        mine_cap: how many blocks one command may make; other commands wait for all of them.
        build_timeout_s: how long one transaction may run while a block is built.
        fee_cap_ether: highest fee of one transaction, ether; 0 means no cap.
        minimum_tip_wei: tip that signed transactions must offer; the node's own are exempt.
        pool_size: how many transactions wait at most.
        base_fee: of the genesis block, wei; the next blocks follow EIP-1559.
        parallel_calls: how many calls run at a time in children; None takes one per core.
        waiting_calls: how many more calls wait for a child before they are refused.
        ontology_network: whose rules Ontology's tokens follow: 1 main net, 2 Polaris, 3 solo; any
            other number of 32 bits is a private network with the rules of solo.
    """

    chain_id: int = 31337
    accounts: int = 10
    balance_ether: int = 10_000
    mnemonic: str = WELL_KNOWN_MNEMONIC
    gas_limit: int = 30_000_000
    block_time: float | None = None
    mining: bool = True
    timestamp: int | None = None
    seed: int | None = None
    data_dir: str | None = None
    genesis_file: str | None = None
    import_file: str | None = None
    hardfork: str = "prague"
    call_timeout_s: float = 5.0
    call_gas_cap: int = 50_000_000
    mine_cap: int = 100_000
    build_timeout_s: float = 60.0
    fee_cap_ether: float = 1.0
    minimum_tip_wei: int = 1
    pool_size: int = 10_000
    base_fee: int = 10**9
    parallel_calls: int | None = None
    waiting_calls: int = 64
    ontology_network: int = SOLO

    def __post_init__(self) -> None:
        """Refuse what the engine cannot do.

        Raises:
            ValueError: one line that names the setting and what was expected.
        """
        if self.hardfork != "prague":
            raise ValueError(f"hardfork: expected prague, got {self.hardfork!r}")
        if self.import_file is not None and self.genesis_file is None:
            raise ValueError("import: expected genesis beside it, the chain it belongs to")
        if self.block_time is not None and self.block_time <= 0:
            raise ValueError(f"block_time: expected more than 0 seconds, got {self.block_time}")
        positive = ("chain_id", "gas_limit", "mine_cap", "call_timeout_s", "build_timeout_s")
        for name in (*positive, "pool_size"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        for name in ("accounts", "balance_ether", "base_fee", "fee_cap_ether", "waiting_calls"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not 0 <= self.ontology_network <= _LARGEST_NETWORK:
            raise ValueError(
                f"ontology-network: expected 0 to {_LARGEST_NETWORK}, got {self.ontology_network}"
            )

    @property
    def balance_wei(self) -> int:
        """The genesis balance in wei."""
        return self.balance_ether * WEI_PER_ETHER

    @property
    def fee_cap_wei(self) -> int | None:
        """The highest fee of one transaction in wei, or None for no cap."""
        return int(self.fee_cap_ether * WEI_PER_ETHER) or None


def encode_settings(settings: DevchainSettings) -> dict[str, Any]:
    """Return the settings as a JSON object; integers over 64 bits are ``0x`` strings."""
    return {
        name: hex(value) if isinstance(value, int) and value >= 1 << 63 else value
        for name, value in asdict(settings).items()
    }


def decode_settings(shape: dict[str, Any]) -> DevchainSettings:
    """Return the settings that ``encode_settings`` encoded.

    Raises:
        ValueError: a setting is out of range.
        TypeError: a setting is unknown.
    """
    texts = ("mnemonic", "data_dir", "hardfork", "genesis_file", "import_file")
    values: dict[str, Any] = {
        name: int(value, 16) if isinstance(value, str) and name not in texts else value
        for name, value in shape.items()
    }
    return DevchainSettings(**values)
