"""Logits in chunks that Dask holds or makes, on threads or on many machines.

Chunks stay where they are. In each pass the grouping goes out, a few numbers for each leaf, and
sums come back, added up in a tree whose shape does not depend on who is done first.
"""

import sys
from contextlib import contextmanager
from itertools import count
from uuid import uuid4

import numpy as np

from .chunks import (
    add_readings,
    add_tables,
    add_told,
    check_reading,
    read_chunk,
    soft_profiles_of,
    update_chunk,
)
from .dask_arrays import as_dask_array, blocks_of, chunks_of_weights, import_dask, parts_of
from .information import mass_of_merges
from .logits import as_logits

__all__ = ["DaskChunks", "dask_logits", "dask_scores"]

# Sums that are added at a time.
FAN_IN = 8

# Chunks that are tried at a time, to find the one that cannot be read.
TRIED = 32


def dask_logits(X, sample_weight=None, *, divisor=1.0, persist=True):
    """`DaskChunks` of a Dask array, or data frame, of logits; unknown numbers of rows will do."""
    X = as_dask_array(X)
    n_leaves = X.shape[1]
    if np.isnan(n_leaves) or not n_leaves:
        raise ValueError(f"logits must have one column for each leaf, got the shape {X.shape}.")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"logits must be real numbers, got {X.dtype}.")
    weights = chunks_of_weights(sample_weight, X.chunks[0])
    return DaskChunks(blocks_of(X), weights, n_leaves, divisor=divisor, persist=persist)


def dask_scores(response, estimator, X, sample_weight=None, *, persist=True):
    """`DaskChunks` of what a fitted estimator says of the rows of a Dask array.

    The estimator is asked on the workers, chunk by chunk. Given back as well: the response as it
    is scaled to the rows.
    """
    dask = import_dask()
    parts, lengths = parts_of(X)
    weights = chunks_of_weights(sample_weight, lengths)
    sent = dask.delayed((response, estimator), pure=False, traverse=False)
    ask = dask.delayed(_ask, pure=False)
    blocks = [ask(sent, block) for block in parts]
    chunks = DaskChunks(blocks, weights, kind=response.kind, persist=persist)
    if response.kind == "distances":
        response = response.scaled_by(chunks.mean_square())
    chunks.kind["divisor"] = response.divisor
    return chunks, response


class DaskChunks:
    """Chunks of logits, and what is known of their rows: a source of `passes`.

    Used in a `with`; when that is left, chunks are let go, but for the leaves of their rows.

    Parameters
    ----------
    blocks : list of Delayed
        Matrices of scores, dense or sparse, in the order of the rows.
    weights : DaskWeights or None
        Weights of their rows, if there are any.
    n_leaves : int or None
        Columns that each must have; None takes those of the first.
    kind, divisor
        As of `Logits`.
    persist : bool, default=True
        Whether the blocks and the state of their rows are kept where they are; else they are made
        again in each pass.
    """

    def __init__(
        self, blocks, weights=None, n_leaves=None, *, kind="logits", divisor=1.0, persist=True
    ):
        self.dask = import_dask()
        self.blocks = blocks
        self.weights = [None] * len(blocks) if weights is None else weights.parts
        self.scale = None if weights is None else weights.scale
        self.n_leaves = n_leaves
        self.kind = {"kind": kind, "divisor": divisor}
        self.persist = persist
        self.chunks = None
        self.leaves = None  # of the rows of each chunk
        self.reading = None
        self.given = blocks
        self.token = uuid4().hex  # in the name of every task
        self.count = count()

    @property
    def shape(self):
        """Rows, NaN if they have not been read, and leaves."""
        if self.n_leaves is None:
            self.n_leaves = self.read().n_leaves
        return sum(self.reading.lengths) if self.reading else np.nan, self.n_leaves

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.persist:
            release(self.blocks, self.chunks, self.leaves if kind else None)
        self.blocks = self.given = self.chunks = None

    def mean_square(self):
        """Mean square of the smallest score of each row."""
        parts = self._call_each(_sum_of_squares, self.blocks, self.weights)
        self.blocks, (squares, weight) = self._pass(self.blocks, self._sum(_add_pairs, parts))
        return squares / (weight or 1.0)

    def read(self):
        """Read all rows once, a `Reading`."""
        if self.reading is not None:
            return self.reading
        expected = {"n_leaves": self.n_leaves, **self.kind}
        chunks = self._call_each(read_chunk, self.blocks, self.weights, **expected)
        leaves = self._call_each(_leaves_of, chunks)
        readings = self._call_each(_told_by, chunks)
        kept, reading = self._pass(
            [*self.blocks, *chunks, *leaves], self._sum(add_readings, readings)
        )
        n_chunks = len(chunks)
        self.blocks, self.chunks = kept[:n_chunks], kept[n_chunks : 2 * n_chunks]
        self.leaves = kept[2 * n_chunks :]
        check_reading(reading)
        self.reading = reading
        return reading

    def update(self, grown):
        """Bring rows up to date: profiles of `Grown` groups, a `Table`, and how many rows."""
        if not self.persist:
            grown = grown.from_leaves()
        sent = self.dask.delayed(grown, pure=False, traverse=False)
        chunks = self._call_each(update_chunk, self.blocks, self.chunks, grown=sent, **self.kind)
        profiles = self._call_each(_told_by, chunks)
        chunks, sums = self._pass(chunks, self._sum(add_told, profiles))
        if self.persist:
            self.chunks = chunks
        return sums

    def soft(self, leaves):
        """Profiles of leaves without rows, a `Table`."""
        tables = self._call_each(
            soft_profiles_of, self.blocks, self.chunks, leaves=leaves, **self.kind
        )
        return self._pass([], self._sum(add_tables, tables))[1]

    def leaf_labels(self):
        """Leaf of each row, a Dask array (n,)."""
        parts = [
            self.dask.array.from_delayed(leaves, (length,), np.intp)
            for leaves, length in zip(self.leaves, self.reading.lengths)
        ]
        return self.dask.array.concatenate(parts)

    def mass_of_merges(self, tree):
        """As `information.mass_of_merges`."""
        sent = self.dask.delayed(tree, pure=False, traverse=False)
        parts = self._call_each(
            _mass_of_part, self.blocks, self.leaves, self.weights, tree=sent, **self.kind
        )
        return self._pass([], self._sum(sum, parts))[1]

    def _call_each(self, function, *columns, **keywords):
        """Call a function for each chunk: columns have what is its, keywords what is the same."""
        return [
            self._call(function, *line, number=number, **keywords)
            for number, line in enumerate(zip(*columns))
        ]

    def _call(self, function, *arguments, number="", **keywords):
        # The scheduler knows tasks by what their names begin with. From the first pass it knows how
        # short those of the next are, and that moving chunks around would take longer.
        begin = "pass_over" if function in (read_chunk, update_chunk) else function.__name__
        name = f"{begin}-{self.token}-{next(self.count)}-{number}"
        return self.dask.delayed(function, pure=False)(*arguments, **keywords, dask_key_name=name)

    def _sum(self, add, parts):
        """Add parts in a tree, neighbours first."""
        while len(parts) > 1:
            starts = range(0, len(parts), FAN_IN)
            parts = [self._call(add, parts[start : start + FAN_IN]) for start in starts]
        return parts[0]

    def _pass(self, kept, total):
        """Compute a sum, and keep what else is made where it is."""
        if not self.persist:
            with self._naming_the_chunk():
                return kept, total.compute()
        with self._naming_the_chunk():
            *kept, total = self.dask.persist(*kept, total)
            try:
                return kept, total.compute()
            except BaseException:
                release(kept, [total])
                raise

    @contextmanager
    def _naming_the_chunk(self):
        try:
            yield
        except Exception as error:
            if type(error).__name__ == "CancelledError":
                raise
            # What kills its workers is not tried again.
            is_deadly = type(error).__name__ == "KilledWorker"
            chunk = self._chunk_of(error.task) if is_deadly else self._first_unreadable()
            if chunk is None:
                raise
            said = f"{type(error).__name__}: {error}"
            raise RuntimeError(f"Chunk {chunk} cannot be read. {said}") from error

    def _chunk_of(self, task):
        """Number of the chunk that a task is for, by the name of the task, or None."""
        if f"-{self.token}-" in str(task):
            number = task.rpartition("-")[2]
            return int(number) if number else None
        for number, block in enumerate(self.given):
            if task in self.dask.optimization.cull(block.__dask_graph__(), [block.key])[0]:
                return number
        return None

    def _first_unreadable(self):
        """Number of the first chunk that raises an error when it is read, or None."""
        for start in range(0, len(self.blocks), TRIED):
            some = self.blocks[start : start + TRIED]
            if self._can_be_read(some):
                continue
            for number, block in enumerate(some, start):
                if not self._can_be_read([block]):
                    return number
        return None

    def _can_be_read(self, blocks):
        try:
            self.dask.compute(*[self._call(_touch, block) for block in blocks])
        except Exception:
            return False
        return True


def release(*collections):
    """Let go of what workers keep, or still compute, for lists of collections."""
    # References alone would do, but an error's traceback holds on to them.
    if "distributed" in sys.modules:
        from distributed import futures_of

        for some in collections:
            for future in futures_of(some or []):
                future.release()


def _ask(sent, block):
    response, estimator = sent
    return response.logits(estimator, block).scores


def _sum_of_squares(scores, weights):
    squares = np.square(scores.min(axis=1), dtype=np.float64)
    weights = np.ones(len(squares)) if weights is None else weights
    return squares @ weights, weights.sum()


def _mass_of_part(scores, leaves, weights, tree, kind, divisor):
    mass = mass_of_merges(tree, as_logits(scores, kind, divisor), leaves, weights)
    # Its unit is the heaviest row.
    return mass if weights is None else mass * weights.max()


def _add_pairs(pairs):
    return tuple(map(sum, zip(*pairs)))


def _told_by(chunk):
    # A task of its own, with nothing else to wait for, so that it is done where the chunk is.
    return chunk.told


def _leaves_of(chunk):
    return None if chunk.state is None else chunk.state.leaf


def _touch(block):
    return None
