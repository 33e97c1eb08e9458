"""The chain-neutral ids and units. Sans-I/O, imports nothing."""

from typing import NewType

Hash32 = NewType("Hash32", bytes)
"""32 raw bytes: a block hash, a transaction hash, a topic, a trie root."""

Address20 = NewType("Address20", bytes)
"""20 raw bytes."""

Wei = NewType("Wei", int)
"""An amount of the native coin in its smallest EVM unit (18 decimals)."""

Gas = NewType("Gas", int)
"""Units of gas."""

BlockNumber = NewType("BlockNumber", int)
"""Height; genesis is 0."""

Timestamp = NewType("Timestamp", int)
"""Seconds since the Unix epoch."""

Seq = NewType("Seq", int)
"""Position of an operation in a journal: 1, 2, 3 … without holes; 0 is before the first."""
