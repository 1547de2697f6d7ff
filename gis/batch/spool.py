"""Where do the rows of a batch wait, so that memory does not grow with them?

One file of rows in the order of the input, with their places kept in memory: eight bytes and a box
each. It is written anew whenever a batch starts and never believed afterwards; its hash tells
whether the input is still the one that an interrupted batch was started with.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gis.batch.reading import Slice
from gis.batch.rows import Origin, Row

Array: TypeAlias = np.ndarray[Any, Any]


class Spool:
    """Rows on disk.

    ``boxes`` is (n, 4) in the work CRS, NaN where a row has none; ``sha256`` is that of the input.
    """

    def __init__(self, path: Path, slices: Iterable[Slice]) -> None:
        self.path = path
        self.origins: list[Origin] = []
        places = [np.zeros(1, dtype=np.int64)]
        boxes = [np.zeros((0, 4))]
        digest, end = hashlib.sha256(), 0
        with path.open("wb") as stream:
            for part in slices:
                self._enter(part, digest)
                records = [pickle.dumps(row, protocol=5) for row in part.rows]
                stream.writelines(records)
                sizes = np.array([len(record) for record in records], dtype=np.int64)
                places.append(end + np.cumsum(sizes))
                end += int(sizes.sum())
                boxes.append(part.boxes)
        self._places = np.concatenate(places)
        self.boxes = np.concatenate(boxes)
        self.sha256 = digest.hexdigest()

    def _enter(self, part: Slice, digest: Any) -> None:
        number = part.rows[0].origin if part.rows else len(self.origins)
        while len(self.origins) <= number:
            self.origins.append(part.origin)
        digest.update(repr((part.origin.kind, part.origin.declared, part.origin.given)).encode())
        for row in part.rows:
            digest.update(row.fingerprint())

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._places) - 1

    def rows(self, numbers: Sequence[int] | Array) -> list[Row]:
        """Return some rows, in the order of their numbers as given."""
        with self.path.open("rb") as stream:
            return [self._row(stream, int(n)) for n in numbers]

    def _row(self, stream: Any, number: int) -> Row:
        start, end = self._places[number : number + 2]
        stream.seek(start)
        row: Row = pickle.loads(stream.read(end - start))
        return row

    def in_order(self, at_once: int) -> Iterator[list[Row]]:
        """Yield all rows in the order of the input, some at a time."""
        for start in range(0, len(self), at_once):
            yield self.rows(range(start, min(start + at_once, len(self))))
