"""What block 0 is made of, and how a genesis file of go-ethereum says it.

Imports no engine, so that the parent finds mistakes in the file before it starts one.

Source: go-ethereum ``core/genesis.go``, ``params/config.go`` (1.16); EIP-7840 (``blobSchedule``).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from twisted_chainws.chain.forks import (
    CANCUN_BLOBS,
    DEPOSIT_CONTRACT,
    DEVELOPMENT,
    PRAGUE_BLOBS,
    BlobParameters,
    Fork,
    ForkSchedule,
)

__all__ = [
    "Genesis",
    "GenesisAccount",
    "decode_forks",
    "encode_forks",
    "read_genesis",
    "read_genesis_file",
]

_ADDRESS, _HASH, _NONCE, _EXTRA = 20, 32, 8, 32
_U64: Final = 1 << 64
_U256: Final = 1 << 256
_FIRST_BASE_FEE: Final = 10**9

_BY_NUMBER: Final = {
    "homesteadBlock": "homestead",
    "eip150Block": "tangerine",
    "eip158Block": "spurious",
    "byzantiumBlock": "byzantium",
    "constantinopleBlock": "constantinople",
    "petersburgBlock": "petersburg",
    "istanbulBlock": "istanbul",
    "muirGlacierBlock": "muir_glacier",
    "berlinBlock": "berlin",
    "londonBlock": "london",
    "arrowGlacierBlock": "arrow_glacier",
    "grayGlacierBlock": "gray_glacier",
    "mergeNetsplitBlock": "paris",
}
_BY_TIME: Final = {
    "shanghaiTime": "shanghai",
    "cancunTime": "cancun",
    "pragueTime": "prague",
    "osakaTime": "osaka",
    "bpo1Time": "osaka",
    "bpo2Time": "osaka",
    "bpo3Time": "osaka",
    "bpo4Time": "osaka",
    "bpo5Time": "osaka",
}
_OPTIONAL: Final = frozenset({"muirGlacierBlock", "arrowGlacierBlock", "grayGlacierBlock"})
"""Forks that only moved the difficulty bomb: chains without work leave them out."""

_UNSUPPORTED: Final = {
    "amsterdamTime": "rules up to Osaka",
    "verkleTime": "rules up to Osaka",
    "ubtTime": "rules up to Osaka",
    "clique": "a chain of work or of stake",
    "daoForkBlock": "a chain without the DAO fork",
}
_DEFAULT_BLOBS: Final = {"cancun": CANCUN_BLOBS, "prague": PRAGUE_BLOBS, "osaka": PRAGUE_BLOBS}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisAccount:
    """One account of the genesis state; ``storage`` maps slots to words, both integers."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """What block 0 is made of.

    Attributes:
        timestamp: seconds since the epoch.
        base_fee: wei; of no meaning before London.
        accounts: by 20-byte address.
        complete: whether ``accounts`` are all there are; otherwise the system contracts and the
            ledger of a development chain join them.
        extra_data: up to 32 bytes.
        nonce: 8 bytes.
    """

    chain_id: int
    gas_limit: int
    timestamp: int
    base_fee: int
    accounts: Mapping[bytes, GenesisAccount]
    coinbase: bytes = bytes(_ADDRESS)
    forks: ForkSchedule = DEVELOPMENT
    complete: bool = False
    difficulty: int = 0
    extra_data: bytes = b""
    mix_hash: bytes = bytes(_HASH)
    nonce: bytes = bytes(_NONCE)
    excess_blob_gas: int = 0
    blob_gas_used: int = 0


def read_genesis(text: str) -> Genesis:
    """Return what a genesis file says.

    Raises:
        ValueError: one line that names the member and what was expected.
    """
    try:
        document = json.loads(text)
    except ValueError as mistake:
        raise ValueError(f"expected JSON: {mistake}") from None
    members = _Members(document, "")
    config = members.table("config")
    forks = _read_forks(config)
    if members.number("number", 0) or any(members.data("parentHash", _HASH)):
        raise ValueError("number: expected a first block, of number 0 and without a parent")
    return Genesis(
        chain_id=config.number("chainId"),
        gas_limit=members.number("gasLimit"),
        timestamp=members.number("timestamp", 0),
        base_fee=members.number("baseFeePerGas", _FIRST_BASE_FEE),
        accounts=dict(_accounts(members.table("alloc"))),
        coinbase=members.data("coinbase", _ADDRESS),
        forks=forks,
        complete=True,
        difficulty=members.number("difficulty", 0, below=_U256),
        extra_data=members.data("extraData"),
        mix_hash=members.data("mixHash", _HASH),
        nonce=members.number("nonce", 0).to_bytes(_NONCE, "big"),
        excess_blob_gas=members.number("excessBlobGas", 0),
        blob_gas_used=members.number("blobGasUsed", 0),
    )


def read_genesis_file(path: str) -> Genesis:
    """Return what the genesis file at ``path`` says.

    Raises:
        ValueError: one line that names the file, the member and what was expected.
    """
    try:
        return read_genesis(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"genesis {path}: cannot read it: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"genesis {path}: expected JSON, got no UTF-8 text") from None
    except ValueError as mistake:
        raise ValueError(f"genesis {path}: {mistake}") from None


class _Members:
    """A JSON object of the file, whose members are read with their path at hand."""

    def __init__(self, value: Any, path: str) -> None:
        self._path = path
        if not isinstance(value, dict):
            raise ValueError("expected a JSON object")  # noqa: TRY004 - a mistake of the file
        self.value: dict[str, Any] = value

    def fail(self, name: str, expected: str) -> NoReturn:
        got = f", got {self.value[name]!r}" if name in self.value else ""
        raise ValueError(f"{self._path}{name}: expected {expected}{got}")

    def has(self, name: str) -> bool:
        return self.value.get(name) is not None

    def table(self, name: str) -> "_Members":
        if not isinstance(self.value.get(name), dict):
            self.fail(name, "an object")
        return _Members(self.value[name], f"{self._path}{name}.")

    def optional(self, name: str) -> "_Members":
        return self.table(name) if self.has(name) else _Members({}, f"{self._path}{name}.")

    def number(self, name: str, default: int | None = None, *, below: int = _U64) -> int:
        """Read a number, ``0x`` hex or decimal digits; no default makes it required."""
        if not self.has(name) and default is not None:
            return default
        number = _number(self.value.get(name))
        if number is None or not 0 <= number < below:
            self.fail(name, f"a number below 2^{below.bit_length() - 1}")
        return number

    def data(self, name: str, length: int | None = None) -> bytes:
        """Read hex; an absent member is empty, or zeros where the length is fixed."""
        data = _bytes(self.value.get(name) or "0x" + "00" * (length or 0))
        if data is None or (length is not None and len(data) != length):
            self.fail(name, f"{length} bytes as hex" if length else "hex")
        return data


def _number(value: Any) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(value, 16 if value.startswith("0x") else 10)
    except (ValueError, AttributeError):
        return None


def _bytes(text: Any) -> bytes | None:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except (ValueError, AttributeError):
        return None


def _accounts(alloc: _Members) -> Iterator[tuple[bytes, GenesisAccount]]:
    for name in alloc.value:
        address, account = _bytes(name), alloc.table(name)
        if address is None or len(address) != _ADDRESS:
            alloc.fail(name, "an address of 20 bytes as the name")
        yield (
            address,
            GenesisAccount(
                balance=account.number("balance", 0, below=_U256),
                nonce=account.number("nonce", 0),
                code=account.data("code"),
                storage=dict(_words(account.optional("storage"))),
            ),
        )


def _words(storage: _Members) -> Iterator[tuple[int, int]]:
    for name, text in storage.value.items():
        slot, word = _word(name), _word(text)
        if slot is None or word is None:
            storage.fail(name, "slot and word of at most 32 bytes as hex")
        yield slot, word


def _word(text: Any) -> int | None:
    digits = text.removeprefix("0x") if isinstance(text, str) else ""
    data = _bytes(digits.rjust(2 * _HASH, "0")) if digits else None
    return None if data is None or len(data) > _HASH else int.from_bytes(data, "big")


def _read_forks(config: _Members) -> ForkSchedule:
    for name, expected in _UNSUPPORTED.items():
        if config.has(name):
            config.fail(name, expected)
    forks = [*_by_number(config), *_by_time(config)]
    if not forks or forks[0].start:
        forks.insert(0, Fork(name="frontier", rules="frontier", start=0, timed=False))
    return ForkSchedule(
        forks=tuple(forks),
        deposit_contract=(
            config.data("depositContractAddress", _ADDRESS)
            if config.has("depositContractAddress")
            else DEPOSIT_CONTRACT
        ),
        requests=True,
    )


def _by_number(config: _Members) -> Iterator[Fork]:
    if config.value.get("eip155Block") != config.value.get("eip158Block"):
        config.fail("eip155Block", "the same block as eip158Block")
    numbers = dict(config.value)
    if config.has("constantinopleBlock"):
        numbers.setdefault("petersburgBlock", numbers["constantinopleBlock"])
    total = config.number("terminalTotalDifficulty", _U256 - 1, below=_U256)
    if not total:
        numbers.setdefault("mergeNetsplitBlock", 0)
    elif total != _U256 - 1 and not config.has("mergeNetsplitBlock"):
        config.fail("mergeNetsplitBlock", "the first block after terminalTotalDifficulty")
    given, last = _Members(numbers, "config."), 0
    missing: str | None = None
    for name, rules in _BY_NUMBER.items():
        if not given.has(name):
            missing = missing if name in _OPTIONAL else missing or name
            continue
        start = given.number(name)
        if missing is not None:
            given.fail(missing, f"a block number, because there is {name}")
        if start < last:
            given.fail(name, f"a block number of at least {last}")
        last = start
        yield Fork(name=rules, rules=rules, start=start, timed=False)


def _by_time(config: _Members) -> Iterator[Fork]:
    schedule = config.optional("blobSchedule")
    last, missing = 0, None if config.has("mergeNetsplitBlock") else "mergeNetsplitBlock"
    if config.number("terminalTotalDifficulty", 1, below=_U256) == 0:
        missing = None
    for name, rules in _BY_TIME.items():
        if not config.has(name):
            missing = missing if name.startswith("bpo") else missing or name
            continue
        start = config.number(name)
        if missing is not None:
            config.fail(missing, f"a value, because there is {name}")
        if start < last:
            config.fail(name, f"a time of at least {last}")
        last = start
        fork = name.removesuffix("Time")
        yield Fork(
            name=fork, rules=rules, start=start, timed=True, blobs=_blobs(schedule, fork, rules)
        )


def _blobs(schedule: _Members, name: str, rules: str) -> BlobParameters | None:
    if rules not in _DEFAULT_BLOBS:
        return None
    if not schedule.has(name):
        if name not in _DEFAULT_BLOBS:
            schedule.fail(name, "the blob parameters of this fork")
        return _DEFAULT_BLOBS[name]
    given = schedule.table(name)
    blobs = BlobParameters(
        target=given.number("target"),
        most=given.number("max"),
        fraction=given.number("baseFeeUpdateFraction"),
    )
    if not blobs.fraction or blobs.target > blobs.most:
        schedule.fail(name, "a target of at most max, and a fraction above 0")
    return blobs


def encode_forks(schedule: ForkSchedule) -> dict[str, Any]:
    """Return a schedule as JSON."""
    return {
        "depositContract": "0x" + schedule.deposit_contract.hex(),
        "requests": schedule.requests,
        "forks": [
            {
                "name": fork.name,
                "rules": fork.rules,
                "start": fork.start,
                "timed": fork.timed,
                "blobs": fork.blobs and [fork.blobs.target, fork.blobs.most, fork.blobs.fraction],
            }
            for fork in schedule.forks
        ],
    }


def decode_forks(shape: Mapping[str, Any]) -> ForkSchedule:
    """Return the schedule that ``encode_forks`` encoded."""
    return ForkSchedule(
        deposit_contract=bytes.fromhex(shape["depositContract"][2:]),
        requests=shape["requests"],
        forks=tuple(
            Fork(
                name=item["name"],
                rules=item["rules"],
                start=item["start"],
                timed=item["timed"],
                blobs=item["blobs"]
                and BlobParameters(
                    target=item["blobs"][0], most=item["blobs"][1], fraction=item["blobs"][2]
                ),
            )
            for item in shape["forks"]
        ),
    )
