"""Whether to connect again after an end, and when. Pure.

Source: ``ohos-websocket.md`` 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from OpenSSL import SSL
from service_identity.exceptions import VerificationError

from twisted_chainws.websocket.codes import ConnectFailed, WebSocketError
from twisted_chainws.websocket.values import CloseResult

__all__ = ["Backoff", "is_worth_retrying", "retry_after_s"]

_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_CODES: Final = frozenset({1001, 1005, 1006, 1011, 1012, 1013})
_ABOUT_CERTIFICATES: Final = ("certificate", "unknown ca")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait between attempts.

    Attributes:
        initial_s: the longest wait before the second attempt.
        factor: by which the longest wait grows from attempt to attempt.
        max_s: the longest wait of all.
        reset_after_s: seconds of being open after which the next end counts as the first.
        longest_demand_s: the longest wait that a server's Retry-After is granted.
        spread: the shares of the longest wait that the random wait lies between.
        max_attempts: attempts in a row that may fail before it gives up; None for no limit.
    """

    initial_s: float = 1.0
    factor: float = 1.8
    max_s: float = 60.0
    reset_after_s: float = 30.0
    longest_demand_s: float = 3600.0
    spread: tuple[float, float] = (0.0, 1.0)
    max_attempts: int | None = None

    def longest_s(self, failures: int) -> float:
        """Return the longest wait after so many failed attempts in a row, from 0 on."""
        wait = self.initial_s
        for _ in range(failures):
            wait *= self.factor
            if wait >= self.max_s:
                break
        return min(self.max_s, wait)

    def is_over(self, failures: int) -> bool:
        """Tell whether so many failed attempts in a row are enough."""
        return self.max_attempts is not None and failures >= self.max_attempts


def is_worth_retrying(end: CloseResult | WebSocketError) -> bool:
    """Tell whether the same request may succeed later."""
    if isinstance(end, CloseResult):
        return end.code in _CODES
    if not isinstance(end, ConnectFailed):
        return False
    if end.http_status is not None:
        return end.http_status in _STATUSES
    return not _is_about_certificates(end.__cause__)


def retry_after_s(headers: Mapping[str, str | list[str]], now: float) -> float:
    """Return how many seconds a server wants us to wait; 0 if it does not say.

    Args:
        headers: of its answer.
        now: seconds since 1970, for servers that give a date.
    """
    value = headers.get("retry-after", "")
    if not isinstance(value, str):
        return 0.0
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return 0.0


def _is_about_certificates(cause: BaseException | None) -> bool:
    if isinstance(cause, VerificationError):
        return True
    words = str(cause).lower()
    return isinstance(cause, SSL.Error) and any(each in words for each in _ABOUT_CERTIFICATES)
