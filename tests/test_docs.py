import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests import pages
from tests.pages import anchors, blocks, names, read_page, rows, section
from tests.running import Running, free_port
from tests.wire import Wire, call_http, post
from twisted_chainws.config.endpoints import ANY, ANY_PORT
from twisted_chainws.config.read import read_configuration
from twisted_chainws.config.table import LIMITS, NOT_BUILT, SETTINGS, Kind
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.view import Profile
from twisted_chainws.tap import Options

README: Final = pages.README.read_text(encoding="utf-8")
GUIDE: Final = read_page("configuration.md")
BIN: Final = Path(sys.executable).parent
START_LIMIT_S: Final = 30.0

installed = pytest.mark.skipif(
    not (BIN / "chainws").exists(), reason="chainws is not installed beside this Python"
)


def _environment(**more: str) -> Mapping[str, str]:
    return os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"} | more


@contextmanager
def _started(command: Sequence[str], cwd: Path, **more: object) -> Iterator[None]:
    """Run a server until the end of the block; it is listening when the block begins."""
    log = cwd / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=_environment(),
            stdout=stream,
            stderr=stream,
            **more,  # type: ignore[call-overload]
        )
        try:
            deadline = time.monotonic() + START_LIMIT_S
            while b"Listening on" not in log.read_bytes():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            process.wait(START_LIMIT_S)
    assert process.returncode in (0, -signal.SIGTERM), log.read_text()


def _python(text: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def test_the_readme_has_two_commands_of_one_line() -> None:
    """One line runs the server and one line runs the tests; both make their environment."""
    run, test = blocks(README, "sh")
    for command in (run, test):
        assert command.count("\n") == 1
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert run.endswith(".venv/bin/chainws\n")
    assert test.endswith(".venv/bin/pytest\n")


@pytest.mark.integration
def test_the_readmes_example_works_as_printed(tmp_path: Path) -> None:
    """The web3.py program subscribes, pays and sees the block of its payment."""
    pytest.importorskip("web3", reason="web3.py is not installed")
    (program,) = blocks(section(README, "Ten lines of web3.py"), "python")
    assert len([line for line in program.splitlines() if line]) <= 12
    with Running("--silent") as server:
        printed = _python(program.replace("8545", str(server.port)), tmp_path)
    assert printed == "block 1 pays 10001000000000000000000\n"


@pytest.mark.integration
def test_the_readmes_client_works_as_printed(tmp_path: Path) -> None:
    """The program of the package's own client sees the block that it asks for."""
    (program,) = blocks(section(README, "Ten lines of the client that stays"), "python")
    assert len([line for line in program.splitlines() if line]) <= 12
    with Running("--silent") as server:
        printed = _python(program.replace("8545", str(server.port)), tmp_path)
    assert printed == "block 1 of chain 31337\n"


@pytest.mark.integration
def test_the_readmes_urls_are_served() -> None:
    """What replaces the vendors' URLs has their paths and leads to the chain over both."""
    table = rows(README, starts="| instead of | use |")
    assert [row[0].startswith("`wss://") for row in table] == [True] * 3
    with Running("--silent") as server:
        for theirs, ours in table:
            before, here, path = ours.strip("`").partition("ws://127.0.0.1:8545")
            assert (before, here) == ("", "ws://127.0.0.1:8545")
            assert theirs.strip("`").endswith(path)
            path = path.replace("NETWORK", "bsc").replace("KEY", "demo")
            with Wire(server.port, path) as wire:
                assert wire.call("eth_chainId") == "0x7a69"
            assert post(server.port, b'{"id":1,"method":"eth_chainId"}', path=path)[0] == 200


def test_the_readme_claims_only_dialects_that_are_built() -> None:
    """The table of dialects is the catalogue, with the ports that are the defaults."""
    table = rows(README, starts="| word | speaks")
    built = {dialect.name: dialect.default_port for dialect in DIALECTS} | {ANY: ANY_PORT}
    assert {row[0].strip("`"): int(row[2]) for row in table} == built


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """Files that a page links to exist, and so do the headings in them."""
    for name, anchor in re.findall(
        r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")
    ):
        target = page.parent / name if name else page
        assert target.exists(), name
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), (name, anchor)


def test_every_option_is_documented_with_its_default() -> None:
    """The table of options has the names, kinds and defaults of the program."""
    assert [(row[0], row[1], row[2]) for row in rows(GUIDE, starts="| name | value")] == [
        (f"`{each.name}`", each.expected + ", list" * each.many, each.default) for each in SETTINGS
    ]


def test_every_limit_is_documented_with_its_default() -> None:
    """The table of limits has the names and defaults of the program, each with a meaning."""
    table = rows(GUIDE, starts="| name | default")
    assert [(row[0], row[1]) for row in table] == [
        (f"`{each.name}`", each.default) for each in LIMITS.values()
    ]
    assert all(row[2] for row in table)


def test_profiles_dialects_and_words_of_the_plan_are_documented() -> None:
    """The lists of words in the guide are the lists of the program."""
    listed = [name for name in names(section(GUIDE, "Profiles")) if name in set(Profile)]
    assert listed == list(Profile)
    words = [row[0].strip("`") for row in rows(GUIDE, starts="| dialect word")]
    assert words == [*(dialect.name for dialect in DIALECTS), ANY]
    last = GUIDE[GUIDE.index("## Not built yet") :]
    assert re.findall(r"`([\w-]+)`", last) == list(NOT_BUILT)


def test_the_example_file_is_accepted() -> None:
    """The TOML file of the guide is a configuration."""
    configuration = read_configuration({}, blocks(section(GUIDE, "Options and keys"), "toml")[0])
    assert [network.name for network in configuration.networks] == ["eth", "bsc"]


def test_every_option_of_the_commands_exists() -> None:
    """Commands of the guide use options that the program has."""
    known = {f"--{each.name}" for each in SETTINGS} | {"--limit", "--config", "--version", "--help"}
    commands = [line for block in blocks(GUIDE, "sh") for line in block.splitlines()]
    for command in [line for line in commands if line.startswith("chainws")]:
        words = shlex.split(command)[1:]
        assert {word for word in words if word.startswith("--")} <= known
        Options().parseOptions(words)
    assert all(each.kind is Kind.FLAG or each.expected for each in SETTINGS)


@installed
@pytest.mark.integration
@pytest.mark.parametrize("block", blocks(section(GUIDE, "Starting"), "sh"))
def test_every_way_of_starting_works_as_printed(block: str, tmp_path: Path) -> None:
    """The four commands listen on the default ports."""
    if any(_taken(port) for port in (8545, 8080)):
        pytest.skip("one of the default ports is taken")
    with _started(["sh", "-c", f"exec {block}"], tmp_path):
        assert call_http(8545, "eth_chainId") == call_http(8080, "eth_chainId") == "0x7a69"


@installed
@pytest.mark.integration
def test_the_outside_is_listened_on_when_asked_for(tmp_path: Path) -> None:
    """The command with an interface in words serves."""
    port = free_port()
    (block,) = blocks(section(GUIDE, "Listening"), "sh")
    block = block.replace("8545", str(port))
    with _started(["sh", "-c", f"exec {block}"], tmp_path):
        assert call_http(port, "eth_chainId") == "0x7a69"


@installed
@pytest.mark.integration
def test_the_tls_walk_through_works_as_printed(tmp_path: Path) -> None:
    """Making a certificate, serving with it, and a client that trusts it."""
    pytest.importorskip("web3", reason="web3.py is not installed")
    walk_through = section(GUIDE, "TLS with a certificate of your own")
    make, serve = blocks(walk_through, "sh")
    port = str(free_port())
    subprocess.run(["sh", "-c", make], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    with _started(["sh", "-c", f"exec {serve.replace('8546', port)}"], tmp_path):
        (program,) = blocks(walk_through, "python")
        assert _python(program.replace("8546", port), tmp_path) == "block 0\n"


# What systemd does before it runs a service: the socket is descriptor 3, and the variables say so.
_HAND_OVER: Final = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="chainws.socket", LISTEN_PID=str(os.getpid()))
os.execvp(sys.argv[2], sys.argv[2:])
"""


@installed
@pytest.mark.integration
def test_the_systemd_unit_serves_on_an_inherited_socket(tmp_path: Path) -> None:
    """ExecStart of the unit, given a listening socket as systemd gives it, answers there."""
    _, unit = blocks(GUIDE, "ini")
    (line,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    program, *options = shlex.split(line.replace("/var/lib/chainws", str(tmp_path / "state")))
    assert Path(program).name == "chainws"
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        descriptor = listening.fileno()
        command = [
            sys.executable,
            "-c",
            _HAND_OVER,
            str(descriptor),
            str(BIN / "chainws"),
            *options,
        ]
        with _started(command, tmp_path, pass_fds=(descriptor,)):
            assert call_http(listening.getsockname()[1], "eth_chainId") == "0x7a69"
    assert (tmp_path / "state").is_dir()
