"""How payloads lie on disk: zstd, with a dictionary of what this log's payloads have in common.

Screenings of one model share nearly all their words, so against a sample of them a payload of 17 kB takes about 0.3 kB,
and less time than without. Dictionaries are kept in the log's own database and never removed: without its dictionary
a payload cannot be read. The hash in a leaf is over the plain payload, so none of this touches the proofs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import zstandard
from sqlalchemy import Connection, Engine, Row, func, insert, select

from service.log.schema import LogError, log_dictionary
from service.log.stored import LogDamaged

_LEVEL = 1
_LARGEST_PAYLOAD = 64 * 1024 * 1024


class Packing:
    """Packs and unpacks payloads. Any thread may unpack; packing is for whoever holds the log's lock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[int, zstandard.ZstdCompressionDict] = {}
        self._current: tuple[int | None, zstandard.ZstdCompressor] = None, zstandard.ZstdCompressor(level=_LEVEL)

    def keep(self, connection: Connection, sample: bytes) -> int:
        """Keeps a sample and gives its number. Under the log's lock, in a transaction. Raises `LogError` if damaged."""
        digest = hashlib.sha256(sample).hexdigest()
        columns = select(log_dictionary.c.id, log_dictionary.c.content)
        kept = connection.execute(columns.where(log_dictionary.c.sha256 == digest)).first()
        if kept is not None:
            if kept.content != sample:
                raise LogError("a dictionary of the log is damaged: restore the database, and verify the log")
            return int(kept.id)
        number = int(connection.execute(select(func.count()).select_from(log_dictionary)).scalar_one()) + 1
        connection.execute(insert(log_dictionary), {"id": number, "sha256": digest, "content": sample})
        return number

    def use(self, number: int, sample: bytes) -> None:
        """Packs against a sample that is kept from now on."""
        made = self._known[number] = _dictionary(sample)
        self._current = number, zstandard.ZstdCompressor(level=_LEVEL, dict_data=made)

    def pack(self, payloads: Sequence[bytes]) -> tuple[list[bytes], int | None]:
        """The packed payloads, in order, and the dictionary that they need.

        All of a commit by one call: the library lets go of the interpreter for each, and on a busy worker another
        thread takes it, which costs more than the packing.
        """
        number, compressor = self._current
        if not any(payloads):  # which the call for many refuses
            return [compressor.compress(payload) for payload in payloads], number
        packed = compressor.multi_compress_to_buffer(list(payloads))
        return [packed[place].tobytes() for place in range(len(payloads))], number

    def unpack(self, row: Row[*tuple[Any, ...]]) -> bytes | None:
        """The payload of a row; None where it is erased. Raises `LogDamaged` where it cannot be read."""
        if row.payload is None:
            return None
        try:
            known = None if row.dictionary is None else self._find(row.dictionary)
            unpacker = zstandard.ZstdDecompressor(dict_data=known)
            return unpacker.decompress(row.payload, max_output_size=_LARGEST_PAYLOAD)
        except (zstandard.ZstdError, TypeError, KeyError):
            raise LogDamaged(row.idx, "its payload cannot be read") from None

    def _find(self, number: int) -> zstandard.ZstdCompressionDict:
        if number not in self._known:
            with self._engine.connect() as connection:
                query = select(log_dictionary.c.content).where(log_dictionary.c.id == number)
                content = connection.execute(query).scalar()
            if content is None:
                raise KeyError(number)
            self._known[number] = _dictionary(content)
        return self._known[number]


def _dictionary(content: bytes) -> zstandard.ZstdCompressionDict:
    made = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    made.precompute_compress(level=_LEVEL)
    return made
