import inspect
import re
from typing import Any

import pytest

from twisted_chainws.client import errors
from twisted_chainws.client.errors import ClientError, RpcError


def test_the_tree_is_drawn_as_it_is() -> None:
    """The drawing in the module names every class, below its parent."""
    drawn = re.findall(r"^    ([│ ├└─]*)(\w+)", errors.__doc__ or "", re.MULTILINE)
    assert sorted(name for _, name in drawn) == sorted(errors.__all__)
    parents: list[str] = []
    for indent, name in drawn:
        depth = len(indent) // 4
        del parents[depth:]
        if parents:
            assert getattr(errors, name).__bases__[0].__name__ == parents[-1]
        parents.append(name)


def test_everything_is_a_client_error() -> None:
    """One class catches all."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert all(
        issubclass(kind, ClientError) for kind in kinds if kind.__module__ == errors.__name__
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"code": -32000, "message": "no"}, "-32000 no"),
        ({"message": "no"}, "no"),
        ({"code": True}, ""),
        ("words", "words"),
        (None, ""),
    ],
)
def test_words(error: Any, text: str) -> None:
    """An error says its code and words, as far as it has them."""
    assert str(RpcError.of(error)) == text
