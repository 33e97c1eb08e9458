"""The words of the pipe, sorted by what may happen to them when the worker dies.

Imports nothing. Reads change nothing: they are sent again to the next worker. Everything else is a
write: it may or may not have happened, so it is answered with an error.
"""

from typing import Final

STATE_READS: Final = frozenset(
    {
        "accounts",
        "automine",
        "balance",
        "code",
        "fees",
        "interval",
        "node_info",
        "nonce",
        "ontology_allowance",
        "ontology_balance",
        "ontology_grant",
        "ontology_storage",
        "sign",
        "sign_typed_data",
        "storage",
        "storage_values",
    }
)
"""Reads that answer at once from what the worker keeps."""

EVM_READS: Final = frozenset(
    {
        "access_list",
        "build_block",
        "call",
        "dump_state",
        "estimate",
        "fill",
        "ontology_execute",
        "pending_block",
        "proof",
        "sign_transaction",
        "simulate",
    }
)
"""Reads that may run long: tried in place, then in a child."""

TRACES: Final = frozenset({"trace_block", "trace_call", "trace_raw_block", "trace_transaction"})
"""Reads of that kind with a time limit of their own; their answers are ready JSON."""

READS: Final = STATE_READS | EVM_READS | TRACES

WRITES: Final = frozenset(
    {
        "add_balance",
        "auto_impersonate",
        "drop",
        "drop_all",
        "impersonate",
        "increase_time",
        "load_state",
        "mine",
        "remove_pool_transactions",
        "reorg",
        "reset",
        "revert",
        "rollback",
        "send",
        "send_native",
        "send_raw",
        "send_unsigned",
        "set_automine",
        "set_balance",
        "set_block_gas_limit",
        "set_chain_id",
        "set_code",
        "set_coinbase",
        "set_interval",
        "set_next_base_fee",
        "set_next_timestamp",
        "set_nonce",
        "set_prev_randao",
        "set_storage",
        "set_time",
        "set_timestamp_interval",
        "snapshot",
        "stop_impersonating",
    }
)
"""Commands that change the chain, the pool or the node."""

LOCAL: Final = frozenset({"register_abi"})
"""What the parent answers itself."""

METHODS: Final = READS | WRITES | LOCAL
"""Everything that can be asked through ``Source.query``."""
