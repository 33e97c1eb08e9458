"""The program's options and introduction, within this process."""

import sys
from pathlib import Path
from typing import Final

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from tests.sources.devchain.published import CHAIN_FILE, GENESIS_FILE
from twisted_chainws import __version__
from twisted_chainws.tap import Options, _introduce, _prepare, _read_names, _with_files, main

ABI_ADDRESS: Final = "0x" + "Ab" * 20
OWN_WORDS: Final = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def test_every_repeatable_option_is_read() -> None:
    """Options that may be repeated keep all their values, in order."""
    options = Options()
    options.parseOptions(
        [
            *("--listen", "any=tcp:0", "--listen", "ethereum=tcp:1"),
            *("--allow-origin", "https://a.example", "--allow-origin", "https://b.example"),
            *("--allow-host", "a.example", "--key", "one", "--key", "two"),
            *("--limit", "message-bytes=1048576", "--silent"),
            *("--abi", f"{ABI_ADDRESS}=a.json", "--abi", f"{ABI_ADDRESS}=b=.json"),
        ]
    )
    read = options.configuration
    assert [listener.dialect for listener in read.listeners] == [None, "ethereum"]
    assert read.keys == ("one", "two")
    assert read.allow_origins == ("https://a.example", "https://b.example")
    assert read.allow_hosts == ("a.example",)
    assert read.silent
    address = bytes.fromhex(ABI_ADDRESS[2:])
    assert read.networks[0].abis == ((address, "a.json"), (address, "b=.json"))
    assert options.getSynopsis().startswith("Usage: chainws")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Asking for the version ends the program well."""
    with pytest.raises(SystemExit) as ended:
        Options().parseOptions(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"chainws {__version__}\n"


def test_main_is_the_runner_of_twisted_with_our_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What follows the program's name are our options; the end is handed on."""
    monkeypatch.setattr(sys, "argv", ["chainws", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().out) == (0, f"chainws {__version__}\n")


def test_a_chain_from_files() -> None:
    """The genesis file tells the chain id; the introduction names the file instead of accounts."""
    parsed = Options()
    parsed.parseOptions(["--genesis", str(GENESIS_FILE), "--import", str(CHAIN_FILE)])
    (network,) = parsed.configuration.networks
    assert _with_files(network).devchain.chain_id == 3503995874084926


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--genesis", "absent.json"), "genesis absent.json: cannot read it: No such file"),
        (
            ("--genesis", str(GENESIS_FILE), "--import", "absent.rlp"),
            "import: expected a file to read, got absent.rlp",
        ),
    ],
)
def test_files_that_are_not_there(
    options: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is one line before anything is started."""
    parsed = Options()
    parsed.parseOptions(options)
    with pytest.raises(SystemExit) as ended:
        _with_files(parsed.configuration.networks[0])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"chainws: {line}")


def test_abis_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files of ABIs are read before anything is started; a mistake in one is one line."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text("[]")
    bad.write_text('{"abi": 5}')
    parsed = Options()
    parsed.parseOptions(["--abi", f"{ABI_ADDRESS}={good}"])
    assert _read_names(parsed.configuration.networks[0])
    parsed.parseOptions(["--abi", f"{ABI_ADDRESS}={bad}"])
    with pytest.raises(SystemExit) as ended:
        _read_names(parsed.configuration.networks[0])
    assert ended.value.code == 1
    line = f"chainws: abi {bad}: expected a list of functions and events\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(("options", "keys"), [((), True), (("--mnemonic", OWN_WORDS), False)])
def test_the_introduction(
    options: tuple[str, ...], keys: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Accounts, network and endpoints are told in one go; own keys are not."""
    parsed = Options()
    listen = ("--listen", "any=tcp:1", "--listen", "ethereum=tcp:2", "--listen", "any=unix:/s")
    parsed.parseOptions([*listen, *options])
    configuration = parsed.configuration
    accounts = [_prepare(network) for network in configuration.networks]
    addresses = [
        IPv4Address("TCP", "127.0.0.1", 1),
        IPv6Address("TCP", "::1", 2),
        UNIXAddress("/s"),
    ]
    chain_ids = {network.name: 77 for network in configuration.networks}
    _introduce(configuration, accounts, chain_ids, addresses)
    shown = capfd.readouterr().out
    assert shown.startswith(f"chainws {__version__}\n")
    assert ("Private Keys" in shown) is keys
    assert ("Mnemonic: " in shown) is keys
    assert ": chain id 77\n" in shown
    assert "Listening on 127.0.0.1:1 (any dialect)" in shown
    assert "Listening on [::1]:2 (ethereum)" in shown
    assert "Listening on unix:/s (any dialect)" in shown
