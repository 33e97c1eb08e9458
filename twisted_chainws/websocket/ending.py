"""How a connection ended, from what both sides did. Pure.

Source: ``ohos-websocket.md`` 3.3.
"""

from dataclasses import dataclass
from typing import Final

from twisted_chainws.websocket.values import CloseResult

__all__ = ["LINK_DOWN", "Ending", "ending"]

LINK_DOWN: Final = "The link is down"
"""The reason of connections that were lost."""

_NO_STATUS: Final = 1005
_ABNORMAL: Final = 1006


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of a connection that had been open.

    Attributes:
        result: for the ``close`` event.
        lost: neither side had closed: an ``error`` comes before the ``close``.
        cause: what the transport said, if it was lost.
    """

    result: CloseResult
    lost: bool = False
    cause: BaseException | None = None


def ending(
    *,
    clean: bool,
    failed: bool,
    ours: tuple[int | None, bytes | None] | None,
    theirs: tuple[int | None, str | None],
    cause: BaseException | None,
) -> Ending:
    """Judge.

    Args:
        clean: Close frames went both ways.
        failed: we closed because the peer broke the protocol.
        ours: code and reason of our Close if we closed first, else None.
        theirs: code and reason of the peer's Close, as far as there were any.
        cause: what the transport said.
    """
    if ours is not None:
        # Also without the peer's Close: nobody was cut off in the middle of anything.
        code, reason = ours
        text = (reason or b"").decode("utf-8", "replace")
        return Ending(result=_result(code, text, was_clean=clean and not failed))
    if clean:
        return Ending(result=_result(*theirs, was_clean=True))
    return Ending(result=CloseResult(_ABNORMAL, LINK_DOWN, was_clean=False), lost=True, cause=cause)


def _result(code: int | None, reason: str | None, *, was_clean: bool) -> CloseResult:
    return CloseResult(_NO_STATUS if code is None else code, reason or "", was_clean=was_clean)
