"""The accounts that every development chain knows: mnemonic, addresses, keys, banner.

Imports nothing of the engine: the parent prints the banner while the worker still starts.
The keys are public knowledge and guard nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from twisted_chainws.chain.types import Address20

WELL_KNOWN_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""Source: the default of anvil, hardhat and foundry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevAccount:
    """One index of the mnemonic, in the three families that share the chain.

    Attributes:
        address: Ethereum address, 20 bytes, of ``key`` (secp256k1, ``m/44'/60'/0'/0/i``).
        zilliqa_address: the last 20 bytes of the SHA-256 of the public key of ``key``.
        ontology_address: 20 bytes, hash of the signature script of ``ontology_key``.
        ontology_key: 32 bytes, NIST P-256, SLIP-10 at ``m/44'/1024'/0'/0/i``.
    """

    address: Address20
    key: bytes = field(repr=False)
    zilliqa_address: Address20
    ontology_address: Address20
    ontology_key: bytes = field(repr=False)


def _account(
    address: str, key: str, zilliqa_address: str, ontology_address: str, ontology_key: str
) -> DevAccount:
    return DevAccount(
        address=Address20(bytes.fromhex(address)),
        key=bytes.fromhex(key),
        zilliqa_address=Address20(bytes.fromhex(zilliqa_address)),
        ontology_address=Address20(bytes.fromhex(ontology_address)),
        ontology_key=bytes.fromhex(ontology_key),
    )


WELL_KNOWN_ACCOUNTS: Final[tuple[DevAccount, ...]] = (
    _account(
        "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "bc45d5148eeacbecd6e6f33cc100ffbbbf5f97b9",
        "fa6516ff71a114099edb9937e84a90ad361aed74",
        "4a97c06f8aa6eb3055b7435c58976e5a46527d6d10896d28a6a307f0f4720789",
    ),
    _account(
        "70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "ef5d48c39b7fff6300a164716db60a9e52f22d1e",
        "97bcab9f2d936975cf1eb64d6378ae8c356168ef",
        "73bcc8f852512dc315f69049ce2c470432af82f7b451c2417d1a53a5b2de6467",
    ),
    _account(
        "3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "e3e5d41133e4ab73b67b95835eec7c9fb6c6491e",
        "a36441351c3efdb620d84f6d4f20379f561575f5",
        "dad8544e781f0a3da2c9846a5ef65f0410b6827131e75e746852add5d386273f",
    ),
    _account(
        "90f79bf6eb2c4f870365e785982e1f101e93b906",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "3f5d5d5f3ff89bfcbfd03931ba72c01d999c76a6",
        "6f32aac3d989f5869d314c6a0e6524d0bfab3f9c",
        "cf48821f5dd908f3a55570a14dbdbb90d04c93a788631a3fb9dcd0d11ccc44c4",
    ),
    _account(
        "15d34aaf54267db7d7c367839aaf71a00a2c6a65",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "ba8e85a187de6969e1e11e19cfbda3abbfa06350",
        "2a2631f351359cf649d82f30bc93909cb32ae921",
        "bffefe39aaedef41218f4a0a2173aca357d3c61f4c94e2983863b738b6c5228b",
    ),
    _account(
        "9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "cc2144254483af4b3657fae4f873a487755188aa",
        "67eacd3e172abd4f113d0c49a74a08e1f0ac203d",
        "0b43824b8149bebd54ee28329ac4d729a840998e7fac6a46920a04ce9f0c6350",
    ),
    _account(
        "976ea74026e726554db657fa54763abd0c3a0aa9",
        "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "fdee098a58fbcf99e783745c90712e3976197e13",
        "f4e941dc296c9866d283ae9a5c4d227460d6132b",
        "d7a262364d637908e4d772e6000ae0f0ce3dcb42e5763737b624825265d0bb89",
    ),
    _account(
        "14dc79964da2c08b23698b3d3cc7ca32193d9955",
        "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "b3bcd721a907666fdfa24432484fa2396ea044a8",
        "93924021e4055f8bc95b8a36674995ba33b5da28",
        "0c3e3c72e65754693bf960a653977d8b9a8fb5c612832c9db38a14d35217cb40",
    ),
    _account(
        "23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
        "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "5dc5b5d810d604bcfe74f3cfcc3d407faa07953e",
        "ae46e3bb50196004975832716981b66a9cddf67d",
        "e3bdc1644f1c4aa2561b86d863b21a1a96c9eb2621fedbfaa4b64883c720d591",
    ),
    _account(
        "a0ee7a142d267c1f36714e4a8f75612f20a79720",
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
        "665cc7ff63d3a0aa30e4c6b4da7f60c960d683c3",
        "b091ec5d59c2f3f0a4c0668fd4154c4a21ad552a",
        "0c2c812dda0ce580de7833e02180cb5037c6d6f87cb9816f63de308ff6981d47",
    ),
)
"""The first ten accounts of the well-known mnemonic, derived once: deriving costs half a second."""


def banner_lines(
    accounts: Sequence[DevAccount], *, show_keys: bool, balance_ether: int
) -> list[str]:
    """Return the lines that introduce the Ethereum accounts, without line ends.

    Args:
        accounts: in the order of their index.
        show_keys: whether the private keys may be printed; only those of the well-known
            mnemonic should be.
        balance_ether: the genesis balance of each, whole ether.
    """
    lines = ["Available Accounts", "=================="]
    lines += [
        f"({index}) 0x{account.address.hex()} ({balance_ether} ETH)"
        for index, account in enumerate(accounts)
    ]
    if show_keys:
        lines += ["", "Private Keys", "=================="]
        lines += [f"({index}) 0x{account.key.hex()}" for index, account in enumerate(accounts)]
    return lines
