"""What an application does with pyzil 1.5, unmodified: look at an account, pay, look again.

Called with the URL of a Zilliqa listener, the secret of a funded key and an address that owns
nothing; prints one JSON object.
"""

import json
import sys

from pyzil.account import Account
from pyzil.zilliqa.chain import BlockChain, set_active_chain
from pyzil.zilliqa.units import Qa, Zil

VERSION = 222 << 16 | 1


def main(url: str, secret: str, payee: str) -> None:
    """Pay 1.5 ZIL to the payee."""
    chain = BlockChain(url, version=VERSION, network_id=222)
    set_active_chain(chain)
    payer, receiver = Account(private_key=secret), Account(address=payee)
    report = {
        "network": chain.api.GetNetworkId(),
        "address": payer.bech32_address,
        "before": int(payer.get_balance_qa()),
        "nothing": int(receiver.get_balance_qa()),
        "price": Account.get_min_gas_price(refresh=True),
    }
    sent = payer.transfer(receiver.bech32_address, Zil(1.5), gas_limit=50)
    report["info"] = sent["Info"]
    report["transaction"] = chain.wait_txn_confirm(sent["TranID"], timeout=20, sleep=1)
    report["id"] = sent["TranID"]
    report["after"] = int(payer.get_balance_qa())
    report["nonce"] = payer.get_nonce()
    report["received"] = int(receiver.get_balance_qa())
    try:
        payer.transfer(receiver.bech32_address, Qa(5), nonce=9, gas_limit=50)
    except Exception as error:  # noqa: BLE001 - the text is what is looked at
        report["refused"] = str(error)
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
