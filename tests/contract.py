"""The contract that every foreign client deploys, and programs that only burn gas.

The same bytes as ``tests/interop/contract.json``, which the JavaScript clients read;
``tests/interop/test_contract.py`` keeps the two equal.
"""

from typing import Any, Final

from eth_hash.auto import keccak

from tests.assembler import assemble, deployment


def selector(signature: str) -> str:
    """Return the four-byte selector of a Solidity signature as ``0x`` hex."""
    return "0x" + bytes(keccak(signature.encode())).hex()[:8]


def _word(text: bytes) -> str:
    return "0x" + text.ljust(32, b"\0").hex()


SET_TOPIC: Final = "0x" + keccak(b"Set(address,uint256)").hex()

RUNTIME: Final = assemble(
    f"""
    0x00 CALLDATALOAD 0xe0 SHR
    DUP1 {selector("set(uint256)")} EQ @set JUMPI
    DUP1 {selector("get()")} EQ @get JUMPI
    DUP1 {selector("fail()")} EQ @fail JUMPI
    DUP1 {selector("panic()")} EQ @panic JUMPI
    DUP1 {selector("deny(uint256)")} EQ @deny JUMPI
    DUP1 {selector("spin()")} EQ @spin JUMPI
    0x00 0x00 REVERT

    :set                                   ; store the argument and tell who did it
    CALLVALUE @empty JUMPI
    0x04 CALLDATALOAD DUP1 0x00 SSTORE
    0x00 MSTORE CALLER {SET_TOPIC} 0x20 0x00 LOG2 STOP

    :get
    0x00 SLOAD 0x00 MSTORE 0x20 0x00 RETURN

    :fail                                  ; revert Error("boom")
    {_word(bytes.fromhex("08c379a0"))} 0x00 MSTORE
    0x20 0x04 MSTORE 0x04 0x24 MSTORE {_word(b"boom")} 0x44 MSTORE
    0x64 0x00 REVERT

    :panic                                 ; revert Panic(0x11)
    {_word(bytes.fromhex("4e487b71"))} 0x00 MSTORE 0x11 0x04 MSTORE 0x24 0x00 REVERT

    :deny                                  ; revert Denied(argument)
    {_word(bytes.fromhex(selector("Denied(uint256)")[2:]))} 0x00 MSTORE
    0x04 CALLDATALOAD 0x04 MSTORE 0x24 0x00 REVERT

    :spin @spin JUMP

    :empty 0x00 0x00 REVERT
    """
)

BYTECODE: Final = "0x" + deployment(RUNTIME).hex()

ABI: Final[list[dict[str, Any]]] = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": "value", "type": "uint256"}] if takes else [],
        "outputs": [{"name": "", "type": "uint256"}] if gives else [],
        "stateMutability": mutability,
    }
    for name, takes, gives, mutability in (
        ("set", True, False, "nonpayable"),
        ("get", False, True, "view"),
        ("fail", False, False, "nonpayable"),
        ("panic", False, False, "nonpayable"),
        ("deny", True, False, "nonpayable"),
        ("spin", False, False, "nonpayable"),
    )
] + [
    {
        "type": "event",
        "name": "Set",
        "anonymous": False,
        "inputs": [
            {"name": "who", "type": "address", "indexed": True},
            {"name": "value", "type": "uint256", "indexed": False},
        ],
    },
    {"type": "error", "name": "Denied", "inputs": [{"name": "code", "type": "uint256"}]},
]

HASH_20M_GAS: Final = assemble(
    """
    :again                                 ; hash 64 KiB until less than 65,535 gas is left
    0x010000 0x00 KECCAK256 POP
    0xffff GAS GT @again JUMPI
    STOP
    """
)
"""Runtime code that ends well after burning nearly all the gas it was given."""

ENDLESS: Final = assemble(":again @again JUMP")
"""Runtime code that never ends."""
