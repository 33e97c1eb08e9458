import importlib.metadata
import importlib.util
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import twisted_chainws

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final[dict[str, Any]] = tomllib.loads(
    (ROOT / "pyproject.toml").read_text(encoding="utf-8")
)["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of this checkout."""
    if importlib.util.find_spec("build") is None or importlib.util.find_spec("hatchling") is None:
        pytest.skip("build and hatchling are not installed")
    target = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (built,) = target.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_the_plugin(wheel: Path) -> None:
    """Code, type marker and plugin are in it; caches, tests and a second ``twisted`` are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "twisted_chainws").rglob("*.py")
    }
    assert modules <= names
    assert "twisted_chainws/py.typed" in names
    assert [name for name in names if name.startswith("twisted/")] == [
        "twisted/plugins/chainws_plugin.py"
    ]
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"twisted", "twisted_chainws"}
    assert not [name for name in names if "dropin.cache" in name or "__pycache__" in name]


def test_the_wheel_knows_its_program_and_version(wheel: Path) -> None:
    """The entry point and the version are those of the source."""
    with zipfile.ZipFile(wheel) as archive:
        (entries,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "chainws = twisted_chainws.tap:main" in archive.read(entries).decode()
    assert f"-{twisted_chainws.__version__}-" in wheel.name


def test_the_engine_is_an_extra_whose_pre_release_pip_accepts() -> None:
    """The specifier of py-evm names a pre-release, which lets pip take one without ``--pre``."""
    (engine,) = [
        requirement
        for requirement in map(Requirement, PROJECT["optional-dependencies"]["devchain"])
        if requirement.name == "py-evm"
    ]
    assert engine.specifier.prereleases
    assert engine.specifier.contains("0.12.1b1")
    assert not [name for name in map(Requirement, PROJECT["dependencies"]) if name.name == "py-evm"]


def test_installed_versions_are_those_asked_for() -> None:
    """What this environment has satisfies what the metadata asks for."""
    for text in PROJECT["dependencies"]:
        requirement = Requirement(text)
        version = Version(importlib.metadata.version(requirement.name))
        assert requirement.specifier.contains(version, prereleases=True), text


def test_nothing_but_the_plugin_is_beside_it() -> None:
    """The plugin folder is no package, so that Twisted's own stays the only ``twisted``."""
    assert not (ROOT / "twisted" / "__init__.py").exists()
    assert not (ROOT / "twisted" / "plugins" / "__init__.py").exists()
