"""Our own method that names the events of contracts for the languages that show names. Sans-I/O.

Ethereum itself shows logs as they are, whatever is registered.
"""

from collections.abc import Mapping
from typing import Any, Final

from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.ethereum.commands import TRUE, address
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View


def abi(value: Any) -> Any:
    """Read an ABI: its list, an object that holds it, or the text of one of them."""
    if not isinstance(value, list | dict | str):
        raise decode.not_a(value, "abi")
    return value


@takes(address, abi)
def register_abi(_view: View, account: str, described: Any) -> Json:
    """Answer ``chainws_registerAbi``: later blocks name the events of this contract."""
    return ask("register_abi", {"address": account, "abi": described}, TRUE)


NAMES: Final[Mapping[str, Handler]] = {"chainws_registerAbi": register_abi}
"""Methods about names."""
