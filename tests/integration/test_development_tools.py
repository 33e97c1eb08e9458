"""What tools ask a node before they use its development methods."""

import pytest

from tests.running import Running
from tests.wire import Wire
from twisted_chainws import __version__

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("options", "version"),
    [
        ((), f"anvil/v{__version__}/chainws"),
        (("--profile", "geth"), f"chainws/v{__version__}"),
    ],
)
def test_a_node_with_the_methods_of_anvil_says_that_it_is_one(
    options: tuple[str, ...], version: str
) -> None:
    """Hardhat's network helpers refuse nodes whose version begins with another name."""
    with Running("--silent", *options) as server, Wire(server.port) as wire:
        assert wire.call("web3_clientVersion") == version
