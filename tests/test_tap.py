import contextlib
import importlib.util
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.certificates import common_name, write_certificate
from tests.running import ROOT, START_LIMIT_S, Running, free_port
from tests.sources.devchain.published import CHAIN_FILE, GENESIS_FILE
from tests.wire import Closed, Refused, RpcError, Wire, call_http
from twisted_chainws import __version__
from twisted_chainws.config.endpoints import ANY
from twisted_chainws.dialects.catalog import DIALECTS
from twisted_chainws.dialects.ontology.address import decode_base58, program_address
from twisted_chainws.dialects.ontology.keys import decode_wif, p256_key
from twisted_chainws.dialects.ontology.program import single_program
from twisted_chainws.tap import Options, makeService

OWN_WORDS: Final = "legal winner thank year wave sausage worth useful legal winner thank yellow"
OWN_ADDRESS: Final = "0x58a57ed9d8d624cbd12e2c467d34787555bb1b25"
STOP_LIMIT_S: Final = 5.0

TWIST: Final = (sys.executable, "-m", "twisted", "chainws")


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


GREETINGS: Final = {
    "ethereum": (
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}',
        b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}',
    ),
    "zilliqa": (b'{"query":"NewBlock"}', b'{"query":"NewBlock"}'),
    "ontology": (
        b'{"Action":"getnetworkid","Id":1}',
        b'{"Action":"getnetworkid","Desc":"SUCCESS","Error":0,"Id":1,"Result":2,"Version":"1.0.0"}',
    ),
}
"""Dialect -> a first message and its answer."""

RUNNERS: Final = {
    "python -m twisted": TWIST,
    "twist": (_program("twist"), "chainws"),
    "twistd": (_program("twistd"), "-n", "--pidfile=", "chainws"),
    "chainws": (_program("chainws"),),
}


def _skip_missing(command: Sequence[str]) -> None:
    if not Path(command[0]).exists():
        pytest.skip(f"{command[0]} is not installed here")


def _run(*options: str, command: Sequence[str] = TWIST) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def _mistake(capsys: pytest.CaptureFixture[str], *options: str, make: bool = False) -> str:
    """Return the one line that options are refused with."""
    parsed = Options()
    with pytest.raises(SystemExit) as caught:  # noqa: PT012 - either may end the program
        parsed.parseOptions(options)
        if make:
            makeService(parsed)
    assert caught.value.code == 1
    text = capsys.readouterr().err
    assert text.startswith("chainws: ")
    assert text.count("\n") == 1
    return text.removeprefix("chainws: ").rstrip("\n")


@pytest.mark.integration
@pytest.mark.parametrize("command", RUNNERS.values(), ids=RUNNERS)
def test_every_way_of_starting_answers_and_stops(command: Sequence[str]) -> None:
    """Each runner starts a chain, prints accounts and endpoint, and stops on SIGTERM in time."""
    _skip_missing(command)
    port = free_port()
    process = subprocess.Popen(
        [*command, "--listen", f"ethereum=tcp:{port}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            while not lines or not lines[-1].startswith("Listening on"):
                lines.append(process.stdout.readline().rstrip("\n"))
                assert lines[-1] or process.poll() is None
            assert call_http(port, "eth_chainId") == "0x7a69"
            begun = time.monotonic()
        finally:
            process.terminate()
        process.wait(STOP_LIMIT_S)
        assert time.monotonic() - begun < STOP_LIMIT_S
    assert f"chainws {__version__}" in lines
    assert "(0) 0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266 (10000 ETH)" in lines
    assert "(0) 0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" in lines
    assert lines[-1] == f"Listening on 127.0.0.1:{port} (ethereum)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--chain-id", "x"), "--chain-id: expected a whole number of at least 1, got 'x'"),
        (("--colour", "red"), "option --colour not recognized"),
        (("--chain-id",), "option --chain-id requires argument"),
        (("8545",), "expected only options, got '8545'"),
        (("--upstream", "ws://x"), "--upstream: following real nodes is not built yet"),
        (
            ("--listen", "8545"),
            "--listen: expected DIALECT=ENDPOINT such as ethereum=tcp:8545, got '8545'",
        ),
        (
            ("--config", "/nowhere.toml"),
            "--config /nowhere.toml: cannot read it: No such file or directory",
        ),
    ],
)
def test_a_mistaken_option_is_one_line(
    options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options that make no sense end the program with one line and status 1."""
    assert _mistake(capsys, *options) == message


def test_a_mistake_in_the_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the file and the key."""
    file = tmp_path / "chainws.toml"
    file.write_text("chain-id = 'x'")
    assert _mistake(capsys, "--config", str(file)) == (
        f"{file}: chain-id: expected a whole number of at least 1, got 'x'"
    )
    file.write_bytes(b"\xff")
    assert _mistake(capsys, "--config", str(file)) == (
        f"--config {file}: cannot read it: it is no UTF-8 text"
    )


def test_what_cannot_work_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unusable directory, mnemonic or endpoint is found when the service is made."""
    file = tmp_path / "file"
    file.touch()
    assert _mistake(capsys, "--data-dir", f"{file}/chain", make=True) == (
        f"data-dir: expected a directory to write to, {file}/chain: Not a directory"
    )
    assert _mistake(capsys, "--mnemonic", "no such words", make=True) == (
        "mnemonic: expected the words of a BIP-39 mnemonic"
    )
    assert _mistake(capsys, "--listen", "any=onion:80", make=True) == (
        "cannot use the endpoint onion:80: Unknown endpoint type: 'onion'"
    )


def test_without_the_engine_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where py-evm is missing the line says what to install."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert _mistake(capsys, make=True) == (
        "the development chain needs the devchain extra: pip install 'twisted-chainws[devchain]'"
    )


def test_version_and_help() -> None:
    """``--version`` prints ours, ``--help`` tells every option."""
    assert _run("--version").stdout == f"chainws {__version__}\n"
    told = _run("--help").stdout
    for option in ("--listen=", "--config=", "--no-mining", "--limit=", "--seed=", "--show-keys"):
        assert option in told
    told = " ".join(told.split())
    for dialect in DIALECTS:
        assert f"{dialect.title} on 127.0.0.1:{dialect.default_port}" in told


@pytest.mark.integration
def test_a_mistake_ends_a_runner_with_status_1() -> None:
    """Seen from the shell a mistake is one line on standard error and exit status 1."""
    done = _run("--chain-id", "x")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "chainws: --chain-id: expected a whole number of at least 1, got 'x'\n"


@pytest.mark.integration
def test_a_taken_port_names_the_option() -> None:
    """A port that somebody has is one line that says how to choose another; nothing starts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run("--listen", "any=tcp:0", "--listen", f"ethereum=tcp:{port}")
    assert done.returncode == 1
    assert done.stderr == (
        f"chainws: cannot listen on 127.0.0.1:{port}: Address already in use; "
        "choose another endpoint with --listen\n"
    )


@pytest.mark.integration
@pytest.mark.parametrize("command", RUNNERS.values(), ids=RUNNERS)
def test_an_engine_that_cannot_start_ends_the_program(
    command: Sequence[str], tmp_path: Path
) -> None:
    """A database that is none ends every runner with status 1 and one line that says why."""
    _skip_missing(command)
    (tmp_path / "chain.sqlite").write_bytes(b"no database" * 1_000)
    done = _run("--listen", "any=tcp:0", "--data-dir", str(tmp_path), command=command)
    assert done.returncode == 1
    assert done.stderr.startswith("chainws: the chain cannot start: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.integration
def test_blocks_that_cannot_be_imported_end_the_program(tmp_path: Path) -> None:
    """One line names the file, the place in it and what was expected; the status is 1."""
    file = tmp_path / "cut.rlp"
    file.write_bytes(CHAIN_FILE.read_bytes()[:-1])
    done = _run(
        *("--listen", f"ethereum=tcp:{free_port()}"),
        *("--genesis", str(GENESIS_FILE), "--import", str(file)),
    )
    assert done.returncode == 1
    reason = f"import {file}: item 54, after block 53: the file ends in the middle of it"
    assert f"chainws: the chain cannot start: {reason}\n" in done.stderr


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("command", RUNNERS.values(), ids=RUNNERS)
def test_a_directory_has_one_server(command: Sequence[str], tmp_path: Path) -> None:
    """A second server on the same directory ends with status 1; the first one goes on."""
    _skip_missing(command)
    with Running("--silent", "--data-dir", str(tmp_path)) as server:
        call_http(server.port, "evm_mine")
        done = _run("--listen", "any=tcp:0", "--data-dir", str(tmp_path), command=command)
        assert done.returncode == 1
        assert done.stderr == (
            f"chainws: the chain cannot start: {tmp_path} is in use by another process\n"
        )
        assert call_http(server.port, "eth_blockNumber") == "0x1"


@pytest.mark.slow
@pytest.mark.integration
def test_an_own_mnemonic_keeps_its_keys(tmp_path: Path) -> None:
    """Keys of the operator's own words are printed only on request."""
    file = tmp_path / "chainws.toml"
    file.write_text(f"mnemonic = '{OWN_WORDS}'\naccounts = 1\n")
    options = ("--config", str(file), "--listen", f"ontology=tcp:{free_port()}")
    with Running(*options) as server:
        assert server_accounts(server) == [OWN_ADDRESS]
        log = _log_with(server, "Listening on")
        owner = _ontology_owner(log)
        funded = call_http(server.port, "eth_getBalance", "0x" + owner.hex())
        assert int(funded, 16) == 10_000 * 10**18
    assert f"(0) {OWN_ADDRESS} (10000 ETH)" in log
    assert "Private Keys" not in log
    assert OWN_WORDS not in log
    with Running(*options, "--show-keys") as server:
        log = _log_with(server, "Listening on")
    assert "\nPrivate Keys" in log
    assert OWN_WORDS in log
    (secret,) = re.findall(r"Ontology Private Keys .*\n=+\n\(0\) (\w+)", log)
    key = p256_key(decode_wif(secret))
    assert program_address(single_program(key)) == owner == _ontology_owner(log)


def _ontology_owner(log: str) -> bytes:
    """Return the only Ontology account that a banner introduces."""
    (text,) = re.findall(r"Ontology Accounts\n=+\n\(0\) (A\w{33}) ", log)
    return decode_base58(text)


def server_accounts(server: Running) -> list[str]:
    """Return the unlocked accounts."""
    accounts: list[str] = call_http(server.port, "eth_accounts")
    return [account.lower() for account in accounts]


def _log_with(server: Running, text: str) -> str:
    deadline = time.monotonic() + 30
    while text not in server.log() and time.monotonic() < deadline:
        time.sleep(0.02)
    return server.log()


@pytest.mark.integration
def test_every_dialect_is_spoken_where_it_was_asked_for() -> None:
    """On a listener of its own, on its path of the combined one, and where a first message says."""
    listeners = {word: free_port() for word in (*(each.name for each in DIALECTS), ANY)}
    options = [
        option for word, port in listeners.items() for option in ("--listen", f"{word}=tcp:{port}")
    ]
    with Running(*options, "--ontology-network", "2") as server:
        for port in listeners.values():
            server.wait(port)
        for name, (question, answer) in GREETINGS.items():
            for port, path in (
                (listeners[name], "/"),
                (listeners[ANY], f"/{name}"),
                (listeners[ANY], "/"),
            ):
                with Wire(port, path=path) as wire:
                    wire.send(question)
                    assert wire.receive() == answer, (name, path)
        log = _log_with(server, "Listening on")
        for word, port in listeners.items():
            spoken = "any dialect" if word == ANY else word
            assert f"Listening on 127.0.0.1:{port} ({spoken})" in log
        assert "(0) AebqgJQDoJk5NLzv8kuiAZitPSk782igMx 74ed1a36ad90" in log
        assert server.faults() == []


@pytest.mark.integration
def test_silence_and_the_warning_about_the_outside() -> None:
    """``--silent`` prints no banner; a chain that the outside can reach is warned about."""
    port = free_port()
    with Running("--silent", "--listen", f"any=tcp:{port}:interface=0.0.0.0") as server:
        server.wait(port)
        assert call_http(port, "eth_blockNumber") == "0x0"
        log = _log_with(server, "can be reached from outside")
    assert "can be reached from outside" in log
    assert "Available Accounts" not in log


@pytest.mark.integration
def test_clients_are_told_that_the_server_goes_away() -> None:
    """On SIGTERM each client gets a close frame with 1001 and no process stays behind."""
    with Running("--silent") as server, Wire(server.port) as first, Wire(server.port) as second:
        first.call("eth_subscribe", "newHeads")
        engine = server.engine()
        server.process.send_signal(signal.SIGTERM)
        for wire in (first, second):
            with pytest.raises(Closed) as caught:
                wire.receive()
            assert caught.value.code == 1001
            wire.close()
        server.process.wait(STOP_LIMIT_S)
    with pytest.raises(ProcessLookupError):
        os.kill(engine, 0)


@pytest.mark.integration
def test_hanging_up_reloads_the_certificate(tmp_path: Path) -> None:
    """After SIGHUP new TLS connections see the file's new certificate."""
    pem = tmp_path / "server.pem"
    write_certificate(pem, "first")
    port = free_port()
    with Running("--listen", f"ethereum=ssl:{port}:privateKey={pem}") as server:
        server.wait(port)
        call_http(server.port, "eth_chainId")
        assert _shown(port) == "first"
        write_certificate(pem, "second")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while _shown(port) == "first" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _shown(port) == "second"


def _shown(port: int) -> str:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain) as peer,
    ):
        return common_name(peer.getpeercert(binary_form=True) or b"")


@pytest.mark.integration
def test_networks_and_keys_pick_the_chain(tmp_path: Path) -> None:
    """The path picks the network, and with keys configured a wrong one stays outside."""
    file = tmp_path / "chainws.toml"
    file.write_text("key = ['right']\n[network.eth]\nchain-id = 1\n[network.bsc]\nchain-id = 56\n")
    with Running("--silent", "--config", str(file)) as server:
        for network, chain_id in (("eth", "0x1"), ("BSC", "0x38")):
            path = f"/vipapi/websocket/node/{network}/right"
            with Wire(server.port, path=path) as wire:
                assert wire.call("eth_chainId") == chain_id
        with Wire(server.port, path="/v2/right") as wire:
            assert wire.call("eth_chainId") == "0x1"
        log = server.log()
    assert "right" not in log


@pytest.mark.integration
def test_a_chain_in_a_directory_outlives_the_server(tmp_path: Path) -> None:
    """With ``--data-dir`` the next start goes on where the last one ended."""
    options = ("--silent", "--data-dir", str(tmp_path / "new" / "chain"))
    with Running(*options) as server:
        call_http(server.port, "evm_mine")
        before = call_http(server.port, "eth_getBlockByNumber", "latest", False)
    with Running(*options) as server:
        assert call_http(server.port, "eth_getBlockByNumber", "latest", False) == before


@pytest.mark.slow
@pytest.mark.integration
def test_each_start_mines_as_its_options_say(tmp_path: Path) -> None:
    """The pool outlives the server, the switch of automine does not."""
    with Running("--silent", "--data-dir", str(tmp_path)) as server:
        first, second = call_http(server.port, "eth_accounts")[:2]
        call_http(server.port, "evm_setAutomine", False)
        call_http(server.port, "eth_sendTransaction", {"from": first, "to": second})
    for options, automine in (((), True), (("--no-mining",), False), ((), True)):
        with Running("--silent", "--data-dir", str(tmp_path), *options) as server:
            assert call_http(server.port, "anvil_getAutomine") is automine
            assert call_http(server.port, "txpool_status")["pending"] == "0x1"


@pytest.mark.integration
def test_seed_and_timestamp_make_a_chain_repeatable() -> None:
    """The same input gives the same bytes."""
    blocks = []
    for _ in range(2):
        with Running("--silent", "--seed", "7", "--timestamp", "1700000000") as server:
            call_http(server.port, "evm_mine")
            blocks.append(call_http(server.port, "eth_getBlockByNumber", "latest", False))
    assert blocks[0] == blocks[1]


def test_the_server_process_stays_light() -> None:
    """The engine's libraries are not imported by the process that serves."""
    program = (
        "import sys, twisted_chainws.tap; "
        "print([name for name in ('eth', 'eth_account', 'eth_keys', 'web3', 'trie', 'ckzg') "
        "if name in sys.modules])"
    )
    done = _run(command=(sys.executable, "-c", program))
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tell a process of its parent")
def test_an_engine_that_hangs_dies_with_a_killed_server() -> None:
    """Nothing outlives ``kill -9`` of the server, not even an engine that does nothing any more."""
    with Running("--silent") as server:
        call_http(server.port, "eth_chainId")
        engine = server.engine()
        os.kill(engine, signal.SIGSTOP)
        try:
            server.process.kill()
            deadline = time.monotonic() + STOP_LIMIT_S
            while _lives(engine):
                assert time.monotonic() < deadline, "the engine is still there"
                time.sleep(0.02)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(engine, signal.SIGKILL)


def _lives(process: int) -> bool:
    """Tell whether a process is there and more than an entry that nobody has fetched yet."""
    try:
        facts = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return False
    return facts[0] not in "ZX"


@pytest.mark.slow
@pytest.mark.integration
@pytest.mark.parametrize("hangs", ["engine", "client"])
def test_what_hangs_delays_the_end_only_so_long_and_leaves_nothing(
    hangs: str, tmp_path: Path
) -> None:
    """SIGTERM ends the server in time, its engine and directory too, and without a complaint."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with Running("--silent", environment=environment) as server, Wire(server.port) as wire:
        wire.call("eth_chainId")
        assert list(tmp_path.iterdir()) != []
        engine = server.engine()
        if hangs == "engine":
            os.kill(engine, signal.SIGSTOP)
            wire.close()
        # A client that hangs is one that is asked to close and never answers.
        begun = time.monotonic()
        server.process.terminate()
        server.process.wait(2 * STOP_LIMIT_S)
        assert time.monotonic() - begun < STOP_LIMIT_S
        assert not _lives(engine)
        assert list(tmp_path.iterdir()) == []
        assert server.faults() == []
        assert "warn" not in server.log()


@pytest.mark.integration
def test_ctrl_c_does_not_reach_an_engine_that_starts() -> None:
    """A terminal interrupts the engine, too, also while it loads; only the server decides."""
    with Running("--silent") as server:
        engine = _engine_of(server)
        deadline = time.monotonic() + START_LIMIT_S
        while "ready at block" not in server.log() and time.monotonic() < deadline:
            os.kill(engine, signal.SIGINT)
            time.sleep(0.02)
        assert server.engine() == engine
        assert "warn" not in server.log()
        assert server.faults() == []


def _engine_of(server: Running) -> int:
    """Return the process id of the engine as soon as there is one."""
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(LookupError):
            return server.engine()
        time.sleep(0.005)
    raise LookupError(server.log())


@pytest.mark.integration
def test_a_unix_socket_is_an_endpoint_like_any_other(tmp_path: Path) -> None:
    """Every Twisted endpoint works, for example a socket in the file system."""
    path = tmp_path / "s"
    with Running("--listen", f"any=unix:{path}") as server:
        log = _log_with(server, "any dialect")
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(10)
            peer.connect(str(path))
            peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            with contextlib.suppress(TimeoutError):
                while data := peer.recv(4096):
                    answer += data
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert f"Listening on unix:{path} (any dialect)" in log


@pytest.mark.integration
def test_limits_of_the_command_line_hold_on_the_wire() -> None:
    """Bounds set with ``--limit`` are those that clients run into."""
    bounds = {
        "method-name-bytes": 20,
        "filter-items": 2,
        "filters": 2,
        "filter-lifetime-s": 1,
        "idle-timeout-s": 1,
    }
    options = [word for name, value in bounds.items() for word in ("--limit", f"{name}={value}")]
    with (
        Running("--silent", *options) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as idle,
        Wire(server.port) as wire,
    ):
        _refused(wire, "eth_" + "x" * 17, "method name too long: 21 > 20")
        first = wire.call("eth_newBlockFilter")
        wire.call("eth_newBlockFilter")
        with pytest.raises(RpcError):
            wire.call("eth_newBlockFilter")
        wire.call("hardhat_mine", "0x3")
        _refused(wire, "eth_getFilterChanges", "filter not found", first)
        second = wire.call("eth_newBlockFilter")
        time.sleep(1.1)
        _refused(wire, "eth_getFilterChanges", "filter not found", second)
        assert idle.recv(1) == b""


def _refused(wire: Wire, method: str, message: str, *params: object) -> None:
    with pytest.raises(RpcError) as caught:
        wire.call(method, *params)
    assert message in str(caught.value)


@pytest.mark.integration
def test_pages_and_names_are_let_in_as_configured() -> None:
    """An origin and a host name that were allowed may connect, others may not."""
    page, name = "https://dapp.example", "chain.example"
    with Running("--silent", "--allow-origin", page, "--allow-host", name) as server:
        with Wire(server.port, headers=[("Origin", page)], host=name) as wire:
            assert wire.call("eth_chainId") == "0x7a69"
        for origin, host in (("https://evil.example", name), (page, "evil.example")):
            with pytest.raises(Refused) as caught:
                Wire(server.port, headers=[("Origin", origin)], host=host)
            assert caught.value.status == 403


@pytest.mark.integration
@pytest.mark.parametrize("options", [(), ("--compression",)])
def test_compression_is_declined_unless_asked_for(options: tuple[str, ...]) -> None:
    """permessage-deflate is negotiated only where the operator wants it."""
    request = (
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    with (
        Running("--silent", *options) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as peer,
    ):
        peer.sendall(request.encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += peer.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert (b"permessage-deflate" in answer) is bool(options)
