"""Logits in several .npy files, read through memory maps: a `merge.source`.

shard    some rows of a file, small enough to be one task's

Tasks carry a path and the numbers of rows, so that workers that share the disk may be anywhere:
whatever joblib is set to use.
"""

import math
import os
from functools import partial
from typing import NamedTuple

import numpy as np
from joblib.parallel import get_active_backend
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from ...exceptions.arguments import check_weights
from ...exceptions.texts import shown_text
from ...logits.matrix import as_logits, warn_if_probabilities
from ...logits.memory_maps import load_mapped, why_not_read
from ..affinity import add_rows, reassigned
from ..loop import in_own_unit
from .chunks import (
    Fault,
    Reading,
    add_answers,
    add_readings,
    add_tables,
    check_again,
    check_reading,
    read_chunk,
    soft_profiles_of,
    update_chunk,
)
from .passes import ChunkSource
from .reassigned import sample_of_chunks, sample_of_parts, totals_of, weights_by_leaf

__all__ = ["Shards", "open_shards"]

# Entries of the rows that one task reads.
SHARD_ENTRIES = 2**24

# Tasks whose sums are held at a time.
LOT = 64


class _Shard(NamedTuple):
    """Some rows of a file.

    Attributes
    ----------
    path : str
    start, stop : int
        The rows.
    header : bytes
        How the file begins; the array comes next.
    shape : (int, int)
    dtype : dtype
    order : {"C", "F"}
    """

    path: str
    start: int
    stop: int
    header: bytes
    shape: tuple
    dtype: np.dtype
    order: str

    def load(self):
        """Memory map of the rows.

        Raises
        ------
        RuntimeError
            If the file cannot be read, is cut off, or has another shape or dtype by now.
        """
        path = shown_text(self.path)
        try:
            with open(self.path, "rb") as file:
                header = file.read(len(self.header))
                size = os.fstat(file.fileno()).st_size
            # A header is not read again if it is the same: Python 3.11 may fail to do so in several
            # threads at once (python/cpython#106905).
            if header == self.header:
                needed = len(header) + math.prod(self.shape) * self.dtype.itemsize
                if size < needed:
                    raise RuntimeError(
                        f"{path} was cut off while it was read: it has {size:,} bytes, and "
                        f"its array needs {needed:,}."
                    )
                scores = np.memmap(self.path, self.dtype, "r", len(header), self.shape, self.order)
                return scores[self.start : self.stop]
            scores = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise RuntimeError(f"{path} cannot be read: {why_not_read(error)}.") from error
        if not isinstance(scores, np.ndarray):
            scores.close()
            raise RuntimeError(f"{path} changed while it was read: it is an archive.")
        raise RuntimeError(
            f"{path} changed while it was read: it had an array of {self.dtype} and shape "
            f"{self.shape}, and has one of {scores.dtype} and shape {scores.shape}."
        )


def open_shards(paths, weights=None, *, kind="logits", divisor=1.0, n_jobs=None):
    """`Shards` of some .npy files, of which the headers are read, and the weights of their rows.

    Raises
    ------
    OSError, ValueError
        If a file is missing, is no matrix of numbers, has no rows, or other columns than the
        first: it is named.
    """
    shards, n_leaves = [], None
    for path in map(os.fspath, paths):
        scores = _open(path)
        with open(path, "rb") as file:
            header = file.read(scores.offset)
        order = "C" if scores.flags.c_contiguous else "F"
        n_rows, n_columns = scores.shape
        if n_leaves is None:
            n_leaves = n_columns
        if n_columns != n_leaves:
            raise ValueError(
                f"{shown_text(path)} has {n_columns} columns, and {shown_text(shards[0].path)} "
                f"{n_leaves}."
            )
        shards += [
            _Shard(path, rows.start, rows.stop, header, scores.shape, scores.dtype, order)
            for rows in gen_batches(n_rows, max(SHARD_ENTRIES // n_leaves, 1))
        ]
    source = Shards(shards, n_leaves, {"kind": kind, "divisor": divisor}, n_jobs)
    source.weigh(weights)
    return source


def _open(path):
    try:
        scores = load_mapped(path)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{shown_text(path)} cannot be read: {why_not_read(error)}.") from error
    if not isinstance(scores, np.ndarray):
        scores.close()
        fault = "is an archive, not one array."
    elif scores.ndim != 2 or scores.dtype.kind not in "biuf":
        fault = (
            f"has an array of {scores.dtype} and shape {scores.shape}, not one row of numbers for "
            "each sample."
        )
    elif 0 in scores.shape:
        fault = f"has no {'columns' if len(scores) else 'rows: leave it out'}."
    else:
        return scores
    raise ValueError(f"{shown_text(path)} {fault}")


class Shards(ChunkSource):
    """Shards of logits, and what is known of their rows.

    Workers that share this process's memory keep the state of the rows here; others make it
    again in each pass, so that only sums come back.

    Attributes
    ----------
    shape : (int, int)
        Rows and leaves.
    """

    def __init__(self, shards, n_leaves, kind, n_jobs):
        self.shards = shards
        self.kind = kind
        self.n_jobs = n_jobs
        self.lengths = [shard.stop - shard.start for shard in shards]
        self.shape = sum(self.lengths), n_leaves
        self.parts = [None] * len(shards)  # weights, or chunks once they have been read
        backend, _ = get_active_backend(prefer="threads")
        self.keep = getattr(backend, "supports_sharedmem", False)

    def weigh(self, weights):
        """Give the rows weights, or None."""
        weights = check_weights(weights, self.shape[0])
        if weights is not None:
            weights, self.scale = in_own_unit(weights)
            self.parts = np.split(weights, np.cumsum(self.lengths)[:-1])

    def read(self):
        """Read all rows once, a `Reading`."""
        read = partial(_read, keep=self.keep, **self.kind)
        reading = self._pass(read, add_readings)
        check_reading(reading, self._places())
        return reading

    def update(self, grown):
        """Bring rows up to date: profiles of `Grown` groups, a `Table`, and how many rows."""
        if not self.keep:
            grown = grown.from_leaves()
        return self._pass(partial(_update, grown=grown, keep=self.keep, **self.kind), add_answers)

    def soft(self, leaves):
        """Profiles of leaves without rows, a `Table`."""
        return self._pass(partial(_soft, leaves=leaves, keep=self.keep, **self.kind), add_tables)

    def sample(self):
        """Rows that tell a temperature, as `Logits`, and their weights or None."""
        parts = [
            (shard.load()[places], None if weights is None else weights[places])
            for places, shard, weights in zip(
                sample_of_chunks(self.lengths), self.shards, self.parts
            )
            if len(places)
        ]
        return sample_of_parts(parts, **self.kind)

    def reassign(self, temperature):
        """Where the rows of each leaf would go.

        Threads of this process read the blocks of one shard after another, as what other workers
        would give back is as large as what it is added to.
        """
        n_leaves = self.shape[1]
        sums = np.zeros((n_leaves, n_leaves))
        totals, look_so = [], True
        for number, (shard, weights) in enumerate(zip(self.shards, self.parts)):
            logits = as_logits(shard.load(), **self.kind)
            leaf = add_rows(sums, logits, weights, temperature, self.n_jobs, first_fault=True)
            if isinstance(leaf, int):
                fault = number, Fault(leaf, logits.fault_of(leaf))
                check_reading(Reading(n_leaves, self.lengths, fault, *[None] * 5), self._places())
            totals.append(weights_by_leaf(leaf, weights))
            look_so = look_so and logits.look_like_probabilities()
        warn_if_probabilities(look_so, self.shape[0])
        rows, digits = zip(*totals)
        totals = totals_of(add_tables(rows), add_tables(digits) if digits[0] else None, n_leaves)
        return reassigned(sums, totals, self.scale)

    def _places(self):
        """What the file of each shard is called, and the number of its first row there."""
        return [(shown_text(shard.path), shard.start) for shard in self.shards]

    def _pass(self, function, add):
        """Sum, in order, of what a function of each shard and its part tells."""
        total = []
        with Parallel(n_jobs=self.n_jobs, prefer="threads") as parallel:
            for some in gen_batches(len(self.shards), LOT):
                pairs = zip(self.shards[some], self.parts[some])
                answers, parts = zip(*parallel(delayed(function)(*pair) for pair in pairs))
                if self.keep:
                    self.parts[some] = parts
                total = [add([*total, *answers])]
        return total[0]


def _read(shard, weights, keep, **kind):
    chunk = read_chunk(shard.load(), weights, **kind)
    return chunk.answer, chunk._replace(answer=None) if keep else None


def _read_again(shard, scores, weights, **kind):
    chunk = read_chunk(scores, weights, **kind)
    check_again(chunk, shown_text(shard.path), shard.stop - shard.start)
    return chunk


def _update(shard, part, grown, keep, **kind):
    scores = shard.load()
    chunk = part if keep else _read_again(shard, scores, part, **kind)
    chunk = update_chunk(scores, chunk, grown, **kind)
    return chunk.answer, chunk._replace(answer=None) if keep else None


def _soft(shard, part, leaves, keep, **kind):
    scores = shard.load()
    chunk = part if keep else _read_again(shard, scores, part, **kind)
    return soft_profiles_of(scores, chunk, leaves, **kind), part
