"""The page about Ontology says what happens."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import pytest

from tests.integration.ontology_node import ONT, OWNERS, PAYEE, Node, transfer
from tests.interop.test_ontology_js import interpreter
from tests.interop.test_ontology_python import python
from tests.pages import blocks, names, read_page, rows, section
from tests.running import Running, free_port
from twisted_chainws.config.table import BY_NAME
from twisted_chainws.dialects import ontology
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.envelope import ACTIONS
from twisted_chainws.dialects.ontology.topics import TOPICS
from twisted_chainws.dialects.ontology.transaction import encode_transaction
from twisted_chainws.testing import FakeSource, connect

GUIDE: Final = read_page("ontology.md")
SESSIONS: Final = blocks(GUIDE, "text")
EXAMPLES: Final[list[tuple[str, list[str], list[str]]]] = [
    (names(action)[0], names(members), names(result))
    for action, members, result, _ in rows(GUIDE, starts="| action |")
]
PRINTED: Final = "paid 7 ONT for 0.05 ONG\nthe payee has 7\n"
LEFT_OUT: Final = "…"


def fits(found: Any, shown: Any) -> bool:
    """Tell whether a value is what the page shows of it."""
    if isinstance(shown, str) and shown.endswith(LEFT_OUT):
        beginning = shown.removesuffix(LEFT_OUT)
        return not beginning or (isinstance(found, str) and found.startswith(beginning))
    if isinstance(shown, dict) and isinstance(found, dict):
        named = [name for name in shown if name != LEFT_OUT]
        whole = len(named) == len(shown)
        order = list(found)[: len(named)]
        return (
            (order == named)
            and (not whole or len(found) == len(named))
            and all(fits(found[name], shown[name]) for name in named)
        )
    if isinstance(shown, list) and isinstance(found, list):
        if shown == [LEFT_OUT]:
            return bool(found)
        return len(found) == len(shown) and all(map(fits, found, shown))
    return type(found) is type(shown) and found == shown


@pytest.mark.parametrize("session", SESSIONS)
def test_sessions_happen_as_printed(session: str) -> None:
    """Every line that is sent or received, and nothing besides."""
    pair = connect(FakeSource(), dialect=ontology.DIALECT)
    for line in session.splitlines():
        sign, _, text = line.partition(" ")
        if sign == "→":
            pair.send(text.encode())
        elif sign == "⛏":
            assert pair.messages == []
            pair.source.mine()
        else:
            assert sign == "←"
            assert fits(pair.messages.pop(0), orjson.loads(text))
    assert pair.messages == []
    pair.close()


@dataclass
class Story:
    """The chain that the examples are about.

    Attributes:
        node: which serves it.
        words: what stands in the page -> what it stands for.
    """

    node: Node
    words: dict[str, str] = field(default_factory=dict)

    def read(self, text: str) -> Any:
        """Return a value of the page with the words replaced."""
        for word, meaning in self.words.items():
            text = text.replace(f'"{word}"', f'"{meaning}"')
        return json.loads(text)


@pytest.fixture(scope="module", name="story")
def _story() -> Iterator[Story]:
    """Tell it: one transaction in a block, one that waits."""
    with Node() as node:
        node.ethereum.call("evm_setAutomine", False)
        first, waiting = transfer(0, 7, nonce=1), transfer(1, 1, nonce=2)
        story = Story(node)
        story.words = {
            "PAYER": OWNERS[0],
            "PAYEE": encode_base58(PAYEE),
            "RAW": encode_transaction(first).hex(),
            "TX": encode_reversed(first.hash),
            "WAITING": encode_reversed(waiting.hash),
        }
        for action, members, result in EXAMPLES[2:4][::-1]:
            assert action == "sendrawtransaction"
            check(story, action, members, result)
        node.mine()
        assert node.ontology.push()["Action"] == "Notify"
        story.words["BLOCK"] = node.ontology.get("getblockhash", Height=1)
        node.ontology.send(waiting)
        yield story


def check(story: Story, action: str, members: list[str], result: list[str]) -> None:
    """Ask what a row asks, and compare."""
    given = story.read("{" + "".join(members) + "}")
    found = story.node.ontology.get(action, **given)
    assert fits(found, story.read(result[0])), found


@pytest.mark.integration
@pytest.mark.parametrize(("action", "members", "result"), EXAMPLES[:2] + EXAMPLES[4:])
def test_examples(story: Story, action: str, members: list[str], result: list[str]) -> None:
    """Every row of the table of actions; how transactions are sent begins the story."""
    check(story, action, members, result)


def test_actions_topics_and_options_exist() -> None:
    """The tables name what there is, all of it."""
    assert {action for action, *_ in EXAMPLES} == ACTIONS
    topics = [(names(row[0])[0], names(row[1])[0]) for row in rows(GUIDE, starts="| topic |")]
    assert topics == list(TOPICS.items())
    options = {name.split()[0].removeprefix("--") for name in names(GUIDE) if name[:2] == "--"}
    theirs = {
        names(cell)[0].removeprefix("--")
        for cell, _ in rows(GUIDE, starts="| of a node |")
        if names(cell)
    }
    assert options - theirs <= {*BY_NAME, "limit"}
    assert str(ontology.DIALECT.default_port) in GUIDE
    assert ONT in GUIDE


def test_the_javascript_program() -> None:
    """With the unmodified library it prints what it paid."""
    node, packages = interpreter()
    (program,) = blocks(section(GUIDE, "With the JavaScript library"), "js")
    assert run([node, "-e"], program, NODE_PATH=packages) == PRINTED


def test_the_python_program() -> None:
    """With the unmodified SDK it prints what it paid."""
    (program,) = blocks(section(GUIDE, "With the Python SDK"), "python")
    assert run([python(), "-W", "ignore", "-c"], program) == PRINTED


def test_the_program_of_our_client() -> None:
    """With the client of this package it prints what it paid."""
    (program,) = blocks(section(GUIDE, "With this package's client"), "python")
    assert run([sys.executable, "-c"], program) == PRINTED


def run(command: list[str], program: str, **environment: str) -> str:
    """Run a program of the page beside a server and return what it prints."""
    port = free_port()
    with Running("--silent", "--listen", f"ontology=tcp:{port}") as server:
        server.wait(port)
        done = subprocess.run(
            [*command, program.replace("20335", str(port))],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert server.faults() == []
    assert done.returncode == 0, done.stderr
    return done.stdout
