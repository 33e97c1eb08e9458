"""The published chain of execution-apis: its files, and an engine that has imported it."""

from pathlib import Path
from typing import Final

from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.importing import import_chain
from twisted_chainws.sources.devchain.genesis import Genesis, read_genesis

DATA: Final = Path(__file__).parents[2] / "data" / "ethereum" / "execution-apis"
GENESIS_FILE: Final = DATA / "genesis.json"
CHAIN_FILE: Final = DATA / "chain.rlp"
HEAD: Final = 54


def published_genesis() -> Genesis:
    """Return block 0 of the published chain."""
    return read_genesis(GENESIS_FILE.read_text())


def imported(folder: Path) -> Engine:
    """Return an engine over a new file in ``folder`` with all 54 blocks."""
    engine = Engine.open(str(folder / "published.sqlite"), published_genesis())
    import_chain(engine, str(CHAIN_FILE), lambda _number: None)
    return engine
