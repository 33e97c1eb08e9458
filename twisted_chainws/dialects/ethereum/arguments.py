"""Positional parameters: one decoder per argument around a handler of plain Python arguments.

Sans-I/O. Imports only dialects.base.

::

    @takes(decode.address, decode.block, required=1)
    def get_balance(view, address, block): ...

A decoder is a function from a JSON value to a model value that raises InvalidArgument with the text
that follows ``invalid argument N:``, or Refused where the wire has a wording without that prefix.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeAlias

from twisted_chainws.dialects.outcomes import Fault, Handler, Refused
from twisted_chainws.dialects.view import Profile, View

INVALID_PARAMS: Final = -32602

Decoder: TypeAlias = Callable[[Any], Any]
"""One argument: a JSON value, never None, to a model value."""


class InvalidArgument(Exception):
    """A decoder does not understand its value.

    Attributes:
        text: why, in geth's words.
        lenient: the value that a profile of looser habits takes instead; None when there is none.
    """

    def __init__(self, text: str, *, lenient: Any = None) -> None:
        super().__init__(text)
        self.text = text
        self.lenient = lenient


def refuse(text: str, *, code: int = INVALID_PARAMS) -> NoReturn:
    """Raise Refused with a fault of this text."""
    raise Refused(Fault(code=code, message=text))


def takes(
    *decoders: Decoder, required: int | None = None
) -> Callable[[Callable[..., Any]], Handler]:
    """Turn a function of decoded arguments into a handler that checks its parameter list.

    Args:
        decoders: one per argument, in order.
        required: how many of the first arguments must be there, all when None; the function gets
            None for each of the others that is left out or null.

    Returns:
        A decorator. The handler raises Refused (-32602) with ``non-array args``,
        ``missing value for required argument N``, ``too many arguments, want at most N`` or
        ``invalid argument N: …``.

    Source: go-ethereum rpc/json.go parsePositionalArguments, 02b73d4e.
    """
    count = len(decoders) if required is None else required
    return lambda function: (
        _with_arguments(function, decoders, count) if decoders else _without_arguments(function)
    )


def _without_arguments(function: Callable[..., Any]) -> Handler:
    """Skip all the machinery for the many handlers that take nothing."""

    def handler(view: View, params: Any) -> Any:
        if params is None or params == []:
            return function(view)
        _as_list(params)
        refuse("too many arguments, want at most 0")

    return handler


def _with_arguments(
    function: Callable[..., Any], decoders: tuple[Decoder, ...], required: int
) -> Handler:
    most = len(decoders)

    def handler(view: View, params: Any) -> Any:
        given = params if params.__class__ is list else _as_list(params)
        decoded = []
        # In the order of geth: the first argument that is wrong decides, surplus ones come last.
        for index, (decoder, value) in enumerate(zip(decoders, given, strict=False)):
            if value is not None:
                decoded.append(_decode(view, index, decoder, value))
            elif index < required:
                refuse(f"missing value for required argument {index}")
            else:
                decoded.append(None)
        if len(given) > most:
            refuse(f"too many arguments, want at most {most}")
        if len(decoded) < required:
            refuse(f"missing value for required argument {len(decoded)}")
        decoded.extend([None] * (most - len(decoded)))
        return function(view, *decoded)

    return handler


def _decode(view: View, index: int, decoder: Decoder, value: Any) -> Any:
    try:
        return decoder(value)
    except InvalidArgument as problem:
        if problem.lenient is not None and view.settings.profile is Profile.ANVIL:
            return problem.lenient
        refuse(f"invalid argument {index}: {problem.text}")


def _as_list(params: Any) -> list[Any]:
    if params is None:
        return []
    if not isinstance(params, list):
        refuse("non-array args")
    return params
