"""The commands that give and take whole states."""

from collections.abc import Mapping
from typing import Any

from twisted_chainws.dialects.ethereum.encode import encode_header
from twisted_chainws.sources.devchain.codec import decode_hex, encode_hex
from twisted_chainws.sources.devchain.engine.building import Builder
from twisted_chainws.sources.devchain.engine.convert import convert_header
from twisted_chainws.sources.devchain.engine.dumping import (
    lay_accounts,
    pack,
    read_accounts,
    read_timestamp,
    unpack,
)
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.jobs import Command


class StateFiles:
    """Dumps and loads the state at the head."""

    def __init__(self, hub: Hub, builder: Builder) -> None:
        self._hub = hub
        self._builder = builder

    def dump(self, _params: Mapping[str, Any]) -> str:
        """Return the state at the head as a file.

        Raises:
            ExecutionFailed: the database is older than its list of names.
        """
        engine = self._hub.engine
        head = engine.head
        state = {
            "block": {
                "number": hex(head.block_number),
                "beneficiary": encode_hex(head.coinbase),
                "timestamp": hex(head.timestamp),
                "gas_limit": head.gas_limit,
                "basefee": head.base_fee_per_gas,
                "difficulty": hex(head.difficulty),
                "prevrandao": encode_hex(head.mix_hash),
                "blob_excess_gas_and_price": {
                    "excess_blob_gas": head.excess_blob_gas,
                    "blob_gasprice": self._builder.next_blob_base_fee(),
                },
            },
            "accounts": engine.dump_accounts(),
            "best_block_number": head.block_number,
            # Without its hash anvil does not know what to go on from, and refuses the dump.
            "blocks": [
                {
                    "header": encode_header(convert_header(head), head.hash),
                    "transactions": [],
                    "ommers": [],
                }
            ],
            "transactions": [],
            "historical_states": None,
        }
        return encode_hex(pack(state))

    def load(self, params: Mapping[str, Any]) -> Command:
        """Lay a dump over the state at the head, and make a block on it.

        Balance and code of each account are replaced; nonces never fall; slots that the dump does
        not name stay. The clock goes on from the dump's if that is later.

        Raises:
            InvalidControl: it is no dump.
        """
        hub, shape = self._hub, unpack(decode_hex(params["state"]))
        accounts, timestamp = read_accounts(shape), read_timestamp(shape)
        hub.edit(lambda state: lay_accounts(state, accounts))
        if timestamp > hub.next_timestamp():
            hub.set_control(next_timestamp=timestamp)
        # A block that takes long is begun again from what is committed.
        hub.commit()
        yield from self._builder.mine(empty=True)
        hub.commit()
        return True
