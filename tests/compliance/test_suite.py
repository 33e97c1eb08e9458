import json
import os
import stat
from pathlib import Path

import pytest

from compliance.suite import AGENT, Unavailable, find_python, fuzzing, install, outcome

WORKS = "#!/bin/sh\necho True\n"
OTHER = "#!/bin/sh\necho False\n"
SHIM = "#!/bin/sh\necho 'python2.7: command not found' >&2\nexit 127\n"
"""What a shim of pyenv does when its version was not chosen."""


def program(path: Path, text: str) -> Path:
    """Write an executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_python_on_the_path_is_found(tmp_path: Path) -> None:
    """A python2.7 that works is taken from the PATH, a python2 that is another version is not."""
    program(tmp_path / "a" / "python2", OTHER)
    wanted = program(tmp_path / "b" / "python2.7", WORKS)
    path = os.pathsep.join(["", str(tmp_path / "a"), str(tmp_path / "b")])
    assert find_python({"PATH": path}) == str(wanted)


def test_a_shim_that_fails_is_passed_over(tmp_path: Path) -> None:
    """Behind a shim without a version, the program that pyenv has installed is found."""
    program(tmp_path / "shims" / "python2.7", SHIM)
    wanted = program(tmp_path / "versions" / "2.7.18" / "bin" / "python2.7", WORKS)
    program(tmp_path / "versions" / "3.11.7" / "bin" / "python2.7", WORKS)
    environ = {"PATH": str(tmp_path / "shims"), "PYENV_ROOT": str(tmp_path)}
    assert find_python(environ) == str(wanted)


def test_pyenv_is_asked_for_its_root(tmp_path: Path) -> None:
    """Without a variable, pyenv itself says where its versions are, else they are at home."""
    root = tmp_path / ".pyenv"
    wanted = program(root / "versions" / "2.7.18" / "bin" / "python2.7", WORKS)
    program(tmp_path / "bin" / "pyenv", f"#!/bin/sh\necho {root}\n")
    assert find_python({"PATH": str(tmp_path / "bin")}) == str(wanted)
    assert find_python({"PATH": "", "HOME": str(tmp_path)}) == str(wanted)


def test_a_machine_without_python27_is_told_so(tmp_path: Path) -> None:
    """Without an interpreter the reason says what was looked for."""
    program(tmp_path / "python2.7", SHIM)
    with pytest.raises(Unavailable, match=r"neither python2\.7 on the PATH nor one installed by"):
        find_python({"PATH": str(tmp_path), "HOME": str(tmp_path)})


def test_an_interpreter_without_pip_is_no_help(tmp_path: Path) -> None:
    """The testsuite is installed with that interpreter's own pip; without one nothing is done."""
    python = program(tmp_path / "python2.7", "#!/bin/sh\nexit 1\n")
    with pytest.raises(Unavailable, match="has no pip"):
        install(str(python), tmp_path / "suite")
    assert not (tmp_path / "suite").exists()


def test_an_installation_that_fails_says_what_pip_said(tmp_path: Path) -> None:
    """The output of the step that failed is in the error, and nothing counts as installed."""
    text = '#!/bin/sh\n[ "$3" = --version ] && exit 0\necho no such package\nexit 1\n'
    python = program(tmp_path / "python2.7", text)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no such package"):
            install(str(python), tmp_path / "suite")


def test_the_outcome_is_what_the_index_says(tmp_path: Path) -> None:
    """Without an index, nobody was reached and no case was run."""
    assert outcome(tmp_path) == {}
    (tmp_path / "reports").mkdir()
    index = tmp_path / "reports" / "index.json"
    index.write_text(json.dumps({AGENT: {"1.1.1": {"behavior": "OK"}}, "other": {}}))
    assert outcome(tmp_path) == {"1.1.1": {"behavior": "OK"}}


def test_reports_of_an_earlier_run_do_not_count(tmp_path: Path) -> None:
    """They are gone before the testsuite starts, also when it does not."""
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "index.json").write_text(json.dumps({AGENT: {"1.1.1": {}}}))
    wstest = program(tmp_path / "wstest", "#!/bin/sh\nexit 1\n")
    with (
        pytest.raises(RuntimeError, match="did not start"),
        fuzzing(str(wstest), ["1.*"], tmp_path),
    ):
        pass
    assert outcome(tmp_path) == {}
    assert json.loads((tmp_path / "spec.json").read_text())["cases"] == ["1.*"]
