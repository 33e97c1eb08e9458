"""Finds, installs and runs the Autobahn testsuite, which exists for Python 2.7 only.

It brings an old Autobahn and an old Twisted along, so it gets an environment of its own, which has
nothing to do with ours.

Source: AutobahnTestSuite 25.10.1, ``wstest --help`` and ``docs/usage.rst``.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

__all__ = ["AGENT", "Unavailable", "find_python", "fuzz_server", "fuzzing", "install", "outcome"]

AGENT: Final = "ours"
"""The name under which the testsuite reports about us."""

SUITE: Final = "autobahntestsuite==25.10.1"
MAKER: Final = "virtualenv<20.22"
"""The last ones that make environments for Python 2.7."""

PROBE_LIMIT_S: Final = 20.0
INSTALL_LIMIT_S: Final = 600.0
START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 15.0


class Unavailable(Exception):
    """The testsuite cannot run on this machine; the text says why."""


def find_python(environ: Mapping[str, str]) -> str:
    """Return the path of a Python 2.7 that works: from ``PATH``, else one that pyenv has installed.

    Raises:
        Unavailable: there is none.
    """
    for candidate in (*_on_path(environ), *_of_pyenv(environ)):
        if _is_python27(candidate):
            return candidate
    raise Unavailable("no Python 2.7: neither python2.7 on the PATH nor one installed by pyenv")


def _on_path(environ: Mapping[str, str]) -> Iterator[str]:
    # Every folder, not the first one only: a shim of pyenv stands before the real program and
    # fails unless that version was chosen.
    for folder in environ.get("PATH", "").split(os.pathsep):
        for name in ("python2.7", "python2"):
            found = shutil.which(name, path=folder) if folder else None
            if found:
                yield found


def _of_pyenv(environ: Mapping[str, str]) -> Iterator[str]:
    root = environ.get("PYENV_ROOT")
    program = shutil.which("pyenv", path=environ.get("PATH", ""))
    if root is None and program is not None:
        done = subprocess.run(
            [program, "root"], capture_output=True, text=True, check=False, timeout=PROBE_LIMIT_S
        )
        root = done.stdout.strip()
    if root is None and "HOME" in environ:
        root = str(Path(environ["HOME"]) / ".pyenv")
    if root:
        yield from map(str, sorted(Path(root).glob("versions/2.7*/bin/python2.7"), reverse=True))


def _is_python27(program: str) -> bool:
    question = "import sys; print(sys.version_info[:2] == (2, 7))"
    try:
        done = subprocess.run(
            [program, "-c", question],
            capture_output=True,
            text=True,
            check=False,
            timeout=PROBE_LIMIT_S,
            env=_clean(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == "True"


def install(python: str, folder: Path) -> str:
    """Install the testsuite into ``folder``, unless it is there, and return the path of ``wstest``.

    Raises:
        Unavailable: this Python 2.7 has no pip.
        RuntimeError: the installation failed; the text is what the failing step has printed.
    """
    wstest = folder / "env" / "bin" / "wstest"
    ready = folder / "ready"
    if ready.exists() and ready.read_text() == SUITE and wstest.exists():
        return str(wstest)
    try:
        _run([python, "-m", "pip", "--version"])
    except RuntimeError:
        raise Unavailable(f"{python} has no pip to install the testsuite with") from None
    shutil.rmtree(folder, ignore_errors=True)
    boot, env = str(folder / "boot"), str(folder / "env")
    _run([python, "-m", "pip", "install", "-q", "--target", boot, MAKER])
    _run([python, "-m", "virtualenv", "-q", env], PYTHONPATH=boot)
    _run([f"{env}/bin/python", "-m", "pip", "install", "-q", SUITE])
    _run([str(wstest), "-a"])
    ready.write_text(SUITE)
    return str(wstest)


def _run(command: Sequence[str], **more: str) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=INSTALL_LIMIT_S,
        env=_clean() | more,
    )
    if done.returncode:
        raise RuntimeError(done.stdout)


def _clean() -> dict[str, str]:
    """Return the environment without what would lead Python 2.7 to modules of ours."""
    ours = ("PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def fuzz_server(
    wstest: str, url: str, cases: Sequence[str], folder: Path, *, limit_s: float
) -> None:
    """Test the server at ``url``; ``outcome`` tells the rest.

    ``wstest`` ends by itself, and with status 0 whatever comes out.

    Raises:
        subprocess.TimeoutExpired: it took longer than ``limit_s``.
    """
    spec = {"servers": [{"agent": AGENT, "url": url}]}
    command = [wstest, "-m", "fuzzingclient", "-s", _specified(spec, cases, folder)]
    with (folder / "wstest.log").open("wb") as log:
        subprocess.run(
            command,
            cwd=folder,
            env=_clean(),
            stdout=log,
            stderr=log,
            check=True,
            timeout=limit_s,
        )


@contextmanager
def fuzzing(wstest: str, cases: Sequence[str], folder: Path) -> Iterator[str]:
    """Run the testsuite's server for a block and give its URL, for clients to be tested.

    It listens on all interfaces, there is no option for that, and it never ends by itself.
    """
    port = _free_port()
    url = f"ws://127.0.0.1:{port}"
    spec = _specified({"url": url}, cases, folder)
    with (folder / "wstest.log").open("wb") as log:
        # "-u 0" leaves out a web server on port 8080.
        process = subprocess.Popen(
            [wstest, "-m", "fuzzingserver", "-s", spec, "-u", "0"],
            cwd=folder,
            env=_clean(),
            stdout=log,
            stderr=log,
        )
        try:
            _await_listening(process, port)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def outcome(folder: Path) -> dict[str, Any]:
    """Return name -> outcome of the cases that were run, none when nobody could be reached."""
    index = folder / "reports" / "index.json"
    if not index.exists():
        return {}
    found: dict[str, Any] = json.loads(index.read_text()).get(AGENT, {})
    return found


def _specified(spec: Mapping[str, Any], cases: Sequence[str], folder: Path) -> str:
    """Write the run's specification into a folder without older reports; return its path."""
    shutil.rmtree(folder / "reports", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.json"
    everywhere = {
        "outdir": str(folder / "reports"),
        "cases": list(cases),
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    path.write_text(json.dumps({**spec, **everywhere}))
    return str(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("the testsuite's server did not start; see its log")
