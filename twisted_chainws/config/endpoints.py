"""``DIALECT=ENDPOINT``: where a dialect is spoken; loopback unless told otherwise. No I/O.

Only the parts of an endpoint description that matter here are looked at; Twisted reads the rest.
Source: Twisted 26.10, "Getting Connected with Endpoints" (colon separates, backslash escapes).
"""

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from twisted_chainws.config.model import Listener
from twisted_chainws.config.table import ConfigurationError
from twisted_chainws.dialects.base import Dialect

ANY: Final = "any"
"""The word for the combined listener."""

ANY_PORT: Final = 8080

LOOPBACK: Final = "127.0.0.1"

_DEFAULT_INTERFACE: Final = {"tcp": LOOPBACK, "ssl": LOOPBACK, "tls": LOOPBACK, "tcp6": "::1"}
_LOCAL_KINDS: Final = ("unix", "systemd", "fd", "stdio")
_COLON: Final = re.compile(r"(?<!\\):")


def default_listeners(dialects: Sequence[Dialect]) -> tuple[Listener, ...]:
    """Return what is listened on when nothing is said: each dialect's port and the combined one."""
    own = [read_listener(f"{each.name}=tcp:{each.default_port}", dialects, "") for each in dialects]
    return (*own, read_listener(f"{ANY}=tcp:{ANY_PORT}", dialects, ""))


def default_places(dialects: Sequence[Dialect]) -> str:
    """Tell people what is spoken where when nothing is said."""
    own = [f"{each.title} on {LOOPBACK}:{each.default_port}" for each in dialects]
    return ", ".join(own) + f", and all of them on {LOOPBACK}:{ANY_PORT}"


def read_listener(text: str, dialects: Sequence[Dialect], place: str) -> Listener:
    """Return the listener that ``DIALECT=ENDPOINT`` describes.

    Args:
        text: what the operator wrote.
        dialects: those that are spoken.
        place: how to name the text in an error.

    Raises:
        ConfigurationError: unknown dialect, or no endpoint.
    """
    word, equals, description = text.partition("=")
    names = [dialect.name for dialect in dialects]
    if not equals or ":" not in word + description or ":" in word:
        raise ConfigurationError(
            place, f"expected DIALECT=ENDPOINT such as {names[0]}=tcp:8545, got {text!r}"
        )
    if word != ANY and word not in names:
        known = ", ".join([*names, ANY])
        raise ConfigurationError(place, f"expected one of the dialects {known}, got {word!r}")
    description = _with_interface(description)
    return Listener(
        dialect=None if word == ANY else word,
        endpoint=description,
        outside=_is_outside(description),
    )


def _with_interface(description: str) -> str:
    """Name the loopback interface where none is named."""
    kind, *arguments = _COLON.split(description)
    default = _DEFAULT_INTERFACE.get(kind)
    if default is None or any(part.startswith("interface=") for part in arguments):
        return description
    return f"{description}:interface={default.replace(':', chr(92) + ':')}"


def _is_outside(description: str) -> bool:
    kind, *arguments = _COLON.split(description)
    if kind in _LOCAL_KINDS:
        return False
    named = [part for part in arguments if part.startswith("interface=")]
    interface = named[0].partition("=")[2].replace("\\:", ":") if named else ""
    try:
        return not ip_address(interface).is_loopback
    except ValueError:
        return interface != "localhost"
