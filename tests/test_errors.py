import re
from collections.abc import Iterator
from dataclasses import fields

import pytest

from twisted_chainws import errors
from twisted_chainws.errors import ChainwsError, NonceTooLow


def descendants(root: type[ChainwsError]) -> Iterator[type[ChainwsError]]:
    """A class and all below it that this module defines."""
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from descendants(child)


ALL = list(descendants(ChainwsError))


def drawn_tree() -> dict[str, str | None]:
    """The picture in the module docstring: name -> name of the parent."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.fullmatch(r"    ((?:[│ ]   )*)(?:[├└]── )?(\w+)", line)
        if found is None:
            continue
        depth = len(found[1]) // 4 + ("──" in line)
        path[depth:] = [found[2]]
        parents[found[2]] = path[depth - 1] if depth else None
    return parents


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    """Readers can trust the picture: every class is in it, below its base."""
    actual = {
        error.__name__: None if error is ChainwsError else error.__mro__[1].__name__
        for error in ALL
    }
    assert drawn_tree() == actual


@pytest.mark.parametrize("error", ALL)
def test_an_error_names_its_facts(error: type[ChainwsError]) -> None:
    """Every error is built from keyword facts, keeps them and names them for logs."""
    facts = {item.name: at for at, item in enumerate(fields(error))}
    raised = error(**facts)
    assert {name: getattr(raised, name) for name in facts} == facts
    assert str(raised) == ", ".join(f"{name}={fact}" for name, fact in facts.items())


def test_errors_are_told_apart_by_identity() -> None:
    """Two errors with the same facts are two errors, and can be raised like any other."""
    one = NonceTooLow(next_nonce=2, nonce=1)
    assert one != NonceTooLow(next_nonce=2, nonce=1)
    with pytest.raises(ChainwsError, match="next_nonce=2, nonce=1"):
        raise one
