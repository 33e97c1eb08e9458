"""How many sockets this process may have: raised as far as the system allows."""

import resource
from typing import Final

from twisted.logger import Logger

__all__ = ["raise_descriptor_limit"]

ENOUGH: Final = 10_000
"""Below this many descriptors the operator is warned."""

_UNLIMITED_GUESS: Final = 1 << 20

_log = Logger()


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one and return what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _UNLIMITED_GUESS if hard == resource.RLIM_INFINITY else hard
    if soft not in (wanted, resource.RLIM_INFINITY):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            # macOS refuses more than kern.maxfilesperproc even where the hard limit is infinite.
            _log.debug("could not raise the limit of open files: {error}", error=error)
        else:
            soft = wanted
    if soft != resource.RLIM_INFINITY and soft < ENOUGH:
        _log.warn(
            "only {soft} open files are allowed: about as many clients can connect (ulimit -n)",
            soft=soft,
        )
    return soft
