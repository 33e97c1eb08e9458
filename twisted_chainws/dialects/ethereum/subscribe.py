"""Handlers of subscriptions and polled filters. Sans-I/O.

Source: ``ethereum.md`` 2.1, 5.7 (go-ethereum ``rpc/handler.go``, ``eth/filters/api.go``).
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from twisted_chainws.dialects.ethereum import criteria, decode, topics
from twisted_chainws.dialects.ethereum.arguments import refuse, takes
from twisted_chainws.dialects.ethereum.criteria import LogQuery
from twisted_chainws.dialects.ethereum.errors import (
    METHOD_NOT_FOUND,
    NOTIFICATIONS_UNSUPPORTED,
    SERVER_ERROR,
)
from twisted_chainws.dialects.ethereum.topics import NO_ARGUMENTS, TOPICS, Topic
from twisted_chainws.dialects.outcomes import (
    Fault,
    Handler,
    Install,
    Json,
    Poll,
    Refused,
    Uninstall,
    Unsubscribe,
)
from twisted_chainws.dialects.view import View
from twisted_chainws.subscriptions.filters import HeadFilter, PendingFilter

_NAME_AND_OPTIONS: Final = 2

SUBSCRIPTION_NOT_FOUND: Final = Fault(code=SERVER_ERROR, message="subscription not found")


def make_subscribe(known: Mapping[str, Topic]) -> Handler:
    """Make ``eth_subscribe`` for a table of topics."""

    def handler(view: View, params: Any) -> Json:
        if not isinstance(params, list):
            refuse("non-array args")
        if not params or not isinstance(params[0], str):
            refuse("expected subscription name as first argument")
        topic = known.get(params[0])
        if topic is None:
            text = f'no "{params[0]}" subscription in eth namespace'
            refuse(text, code=METHOD_NOT_FOUND)
        if len(params) > _NAME_AND_OPTIONS:
            most = _NAME_AND_OPTIONS - (params[0] in NO_ARGUMENTS)
            refuse(f"too many arguments, want at most {most}")
        return topic(view, params[1] if len(params) == _NAME_AND_OPTIONS else None)

    return handler


def no_subscribe(_view: View, _params: Any) -> NoReturn:
    """Refuse ``eth_subscribe`` where nothing can be delivered."""
    raise Refused(NOTIFICATIONS_UNSUPPORTED)


@takes(decode.text)
def unsubscribe(_view: View, subscription_id: str) -> Json:
    """Answer ``eth_unsubscribe``: whether there was such a subscription on this connection."""
    return Unsubscribe(subscription_id=subscription_id, then=bool)


@takes(decode.text)
def strict_unsubscribe(_view: View, subscription_id: str) -> Json:
    """Answer ``eth_unsubscribe`` as go-ethereum does: an unknown id is an error."""
    return Unsubscribe(subscription_id=subscription_id, then=_true_or_error)


def _true_or_error(removed: bool) -> Json:  # noqa: FBT001 - a callback of one value
    if not removed:
        raise Refused(SUBSCRIPTION_NOT_FOUND)
    return True


@takes(criteria.log_query)
def new_filter(view: View, query: LogQuery) -> Json:
    """Answer ``eth_newFilter``."""
    return Install(filter=topics.log_filter(view, query), encode=topics.encode_log)


@takes()
def new_block_filter(_view: View) -> Json:
    """Answer ``eth_newBlockFilter``: it collects block hashes."""
    return Install(filter=HeadFilter(), encode=topics.encode_head_hash)


@takes(decode.boolean, required=0)
def new_pending_transaction_filter(_view: View, full: bool | None) -> Json:  # noqa: FBT001
    """Answer ``eth_newPendingTransactionFilter``: it collects hashes, or full objects."""
    encoder = topics.encode_pending if full else topics.encode_pending_hash
    return Install(filter=PendingFilter(), encode=encoder)


@takes(decode.text)
def get_filter_changes(_view: View, filter_id: str) -> Json:
    """Answer ``eth_getFilterChanges``: what came since the last call."""
    return Poll(filter_id=filter_id)


@takes(decode.text)
def uninstall_filter(_view: View, filter_id: str) -> Json:
    """Answer ``eth_uninstallFilter``: whether there was one."""
    return Uninstall(filter_id=filter_id)


SUBSCRIBE: Final[Mapping[str, Handler]] = {
    "eth_subscribe": make_subscribe(TOPICS),
    "eth_unsubscribe": unsubscribe,
    "eth_newFilter": new_filter,
    "eth_newBlockFilter": new_block_filter,
    "eth_newPendingTransactionFilter": new_pending_transaction_filter,
    "eth_getFilterChanges": get_filter_changes,
    "eth_uninstallFilter": uninstall_filter,
}
