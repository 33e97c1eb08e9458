"""Targets that are reached without a proxy. Pure.

Source: OpenHarmony ``connection.HttpProxy.exclusionList``: names match exactly or as a suffix that
begins at a dot, addresses exactly, a lone ``*`` always. ``*.suffix`` and networks are ours.
"""

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

import idna

__all__ = ["excluded", "in_networks"]

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def excluded(host: str, port: int, exclusions: Iterable[str]) -> bool:
    """Return whether a target is in an exclusion list.

    Args:
        host: name or address without brackets.
        port: of the target.
        exclusions: each perhaps with a scheme, which says nothing, and a port, which must be equal.
            A ``*`` among others says nothing.
    """
    entries = [entry for entry in (each.strip().lower() for each in exclusions) if entry]
    if entries == ["*"]:
        return True
    return any(_matches(host, port, entry) for entry in entries)


def in_networks(host: str, port: int, entries: Iterable[str]) -> bool:
    """Return whether an address is, or is within, one of those of a ``no_proxy`` list.

    Args:
        host: names are in no network.
        port: of the target.
        entries: addresses, perhaps with a port, and networks such as ``10.0.0.0/8``; others are
            skipped.
    """
    address = _address(host)
    if address is None:
        return False
    for entry in (each.strip() for each in entries):
        try:
            if address in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            name, wanted = _split_port(entry)
            if _address(name) == address and wanted in (None, port):
                return True
    return False


def _matches(host: str, port: int, entry: str) -> bool:
    name, wanted = _split_port(entry.rpartition("://")[2].rstrip("/"))
    if wanted not in (None, port):
        return False
    address = _address(host)
    if address is not None:
        return _address(name) == address
    host = _ascii(host.lower().removesuffix("."))
    if name.startswith("*."):
        return host.endswith(f".{_ascii(name[2:])}")
    name = _ascii(name.strip("."))
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    """Return name or address, and port; None for none. An unbracketed IPv6 address has none."""
    name, colon, digits = entry.rpartition(":")
    if not colon or (":" in name and not name.endswith("]")) or not digits.isdecimal():
        return entry.strip("[]"), None
    return name.strip("[]"), int(digits)


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _ascii(name: str) -> str:
    if name.isascii():
        return name
    try:
        return idna.encode(name).decode("ascii")
    except idna.IDNAError:
        return name
