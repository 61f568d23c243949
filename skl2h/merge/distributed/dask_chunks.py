"""Logits in chunks that Dask holds or makes, on threads or on many machines.

Chunks stay where they are. In each pass the grouping goes out, a few numbers for each leaf, and
sums come back, added up in a tree whose shape does not depend on who is done first.
"""

from concurrent.futures import CancelledError
from itertools import chain, count
from uuid import uuid4

import numpy as np
from sklearn.utils import gen_batches

from ...logits.kinds import import_dask, is_frame
from ...logits.matrix import as_logits, warn_if_probabilities
from .chunks import (
    ChangedChunkError,
    add_answers,
    add_readings,
    add_tables,
    check_again,
    check_reading,
    read_chunk,
    soft_profiles_of,
    update_chunk,
)
from .dask_arrays import as_matrix, chunks_of_weights, parts_of
from .dask_graph import (
    Tasks,
    add_task,
    first_unreadable,
    number_of_killer,
    release,
    same,
)
from .passes import ChunkSource
from .reassigned import (
    add_reassigned,
    reassign_chunk,
    reassigned_of,
    rows_of_sample,
    sample_of_chunks,
    sample_of_parts,
)

__all__ = ["DaskChunks", "dask_source"]

# Sums that are added at a time.
FAN_IN = 8


def dask_source(response, estimator, X, sample_weight=None, *, persist=True):
    """`DaskChunks` of the scores of the rows of a Dask array, or data frame.

    An estimator is asked on the workers, chunk by chunk. Numbers of rows may be unknown, unless
    there are weights.
    """
    table = as_matrix(X)
    blocks, lengths = parts_of(table, with_lengths=sample_weight is not None)
    header = response.header(X, table)
    if header.n_columns is None or is_frame(table):
        graph, name = dict(blocks.graph), f"scores-{uuid4().hex}"
        # What is sent is a task of its own, so that each worker gets it once.
        sent = add_task(graph, f"sent-{name}", same, it=(response, estimator))
        keys = [add_task(graph, (name, i), _ask, sent, key) for i, key in enumerate(blocks.keys)]
        blocks = Tasks(graph, keys)
    kind = {"kind": response.kind, "divisor": response.divisor}
    source = DaskChunks(blocks, lengths, header.n_columns, **kind, persist=persist)
    source.names, source.labels = header.names, header.labels
    source.weigh(sample_weight)
    return source


class DaskChunks(ChunkSource):
    """Chunks of logits, and what is known of their rows: a `merge.source`.

    When its `with` is left, chunks are let go, but for the leaves of their rows.

    Parameters
    ----------
    blocks : Tasks
        Matrices of scores, dense or sparse, in the order of the rows.
    lengths : sequence of int, default=None
        Rows of each, NaN where they are not known; needed to weigh them.
    n_leaves : int or None
        Columns that each must have; None takes those of the first.
    kind, divisor
        As of `Logits`.
    persist : bool, default=True
        Whether the blocks and the state of their rows are kept where they are; else they are made
        again in each pass.
    """

    def __init__(
        self, blocks, lengths=None, n_leaves=None, *, kind="logits", divisor=1.0, persist=True
    ):
        self.given = blocks
        self.graph = blocks.graph
        self.lengths = lengths
        # Keys of what there is for each chunk.
        self.blocks = blocks.keys
        self.weights = [None] * len(blocks.keys)
        self.chunks = self.leaves = None
        self.kept = {}  # tasks that workers do, or have done, for as long as they are held
        self.n_leaves = n_leaves
        self.kind = {"kind": kind, "divisor": divisor}
        self.persist = persist
        self.reading = None
        self.token = uuid4().hex  # in the name of every task
        self.count = count()

    @property
    def shape(self):
        """Rows, NaN if they have not been read, and leaves."""
        if self.n_leaves is None:
            self.n_leaves = self.read().n_leaves
        return sum(self.reading.lengths) if self.reading else np.nan, self.n_leaves

    def __exit__(self, kind, *_):
        held = {} if kind else dict.fromkeys(self.leaves or ())
        release(Tasks({key: task for key, task in self.kept.items() if key not in held}, []))
        self.graph = self.kept = self.given = None

    def weigh(self, weights):
        """Give the rows weights, or None."""
        if weights is not None:
            parts, self.scale = chunks_of_weights(weights, self.lengths)
            self.graph, self.weights = self.graph | parts.graph, parts.keys

    def divide_by(self, divisor):
        """Change what the logits are divided by."""
        self.kind["divisor"] = divisor

    def mean_square(self):
        """Mean square of the smallest distance of each row."""
        graph = dict(self.graph)
        parts = self._call_each(graph, _sum_of_squares, self.blocks, self.weights)
        total = self._sum(graph, _add_pairs, parts)
        squares, weight = self._pass(graph, total, self.blocks, self.weights)
        return squares / (weight or 1.0)

    def read(self):
        """Read all rows once, a `Reading`."""
        if self.reading is not None:
            return self.reading
        graph, expected = dict(self.graph), {"n_leaves": self.n_leaves, **self.kind}
        chunks = self._call_each(graph, read_chunk, self.blocks, self.weights, **expected)
        self._keep_leaves(graph, chunks)
        readings = self._call_each(graph, _answer_of, chunks)
        total = self._sum(graph, add_readings, readings)
        reading = self._pass(graph, total, self.blocks, self.weights, chunks, self.leaves)
        self.chunks = chunks
        check_reading(reading)
        self.reading = reading
        return reading

    def update(self, grown):
        """Bring rows up to date: profiles of `Grown` groups, a `Table`, and how many rows."""
        if not self.persist:
            grown = grown.from_leaves()
        graph = dict(self.graph)
        sent = self._send(graph, grown)
        lines = zip(self.blocks, self.chunks, self._expected())
        chunks = [
            self._call(graph, _update_chunk, sent, *line, number=i, expected=expected, **self.kind)
            for i, (*line, expected) in enumerate(lines)
        ]
        total = self._sum(graph, add_answers, self._call_each(graph, _answer_of, chunks))
        if not self.persist:
            return self._pass(graph, total)
        sums = self._pass(graph, total, chunks)  # old ones go: their state is in the new
        for chunk in self.chunks:
            del self.kept[chunk]
        self.chunks = chunks
        return sums

    def soft(self, leaves):
        """Profiles of leaves without rows, a `Table`."""
        graph, options = dict(self.graph), {"leaves": leaves, **self.kind}
        lines = zip(self.blocks, self.chunks, self._expected())
        parts = [
            self._call(graph, _soft_profiles_of, *line, number=i, expected=expected, **options)
            for i, (*line, expected) in enumerate(lines)
        ]
        return self._pass(graph, self._sum(graph, add_tables, parts))

    def sample(self):
        """Rows that tell a temperature, as `Logits`, and their weights or None; few come here."""
        if self.lengths is None or np.isnan(self.lengths).any():
            graph = dict(self.graph)
            parts = self._call_each(graph, _length_of, self.blocks)
            self.lengths = self._pass(graph, self._sum(graph, _chained, parts), self.blocks)
        graph, parts = dict(self.graph), []
        lines = zip(sample_of_chunks(self.lengths), self.blocks, self.weights)
        for number, (places, *line) in enumerate(lines):
            if len(places):
                options = {"places": places, "n_leaves": self.n_leaves, "number": number}
                parts.append(self._call(graph, rows_of_sample, *line, **options))
        if not parts:
            return None, None
        parts = self._pass(graph, self._sum(graph, _chained, parts), self.blocks, self.weights)
        return sample_of_parts(parts, **self.kind)

    def reassign(self, temperature):
        """Where the rows of each leaf would go: one pass, of which sums come back."""
        graph, expected = dict(self.graph), {"n_leaves": self.n_leaves, **self.kind}
        lines = self.blocks, self.weights
        chunks = self._call_each(graph, reassign_chunk, *lines, temperature=temperature, **expected)
        self._keep_leaves(graph, chunks)
        answers = self._call_each(graph, _answer_of, chunks)
        total = self._sum(graph, add_reassigned, answers)
        reading = self._pass(graph, total, *lines, self.leaves)
        check_reading(reading)
        warn_if_probabilities(reading.look_like_probabilities, sum(reading.lengths))
        self.reading = reading._replace(rows=None, digits=None, profiles=None)
        return reassigned_of(reading, self.scale, self.leaf_labels())

    def leaf_labels(self):
        """Leaf of each row, a Dask array (n,)."""
        lengths = tuple(self.reading.lengths)
        graph = self.graph if not self.persist else {key: self.graph[key] for key in self.leaves}
        name = self.leaves[0][0]
        return import_dask().array.Array(graph, name, (lengths,), dtype=np.intp)

    def sum_of(self, function):
        """Call a function of the logits, leaves and weights of each chunk, and add the results.

        Weights are in the unit `scale`, or None.
        """
        graph = dict(self.graph)
        sent = self._send(graph, function)
        lines = [sent] * len(self.blocks), self.blocks, self.leaves, self.weights
        parts = self._call_each(graph, _call_on_rows, *lines, **self.kind)
        return self._pass(graph, self._sum(graph, sum, parts))

    def _keep_leaves(self, graph, chunks):
        """Have tasks give the leaves of rows, under the names of the chunks of one array."""
        self.leaves = [
            add_task(graph, (f"leaves-{self.token}", number), _leaf_of, chunk)
            for number, chunk in enumerate(chunks)
        ]

    def _expected(self):
        """What each chunk is called, and how many rows it had when it was first read."""
        return [(f"Chunk {number}", n_rows) for number, n_rows in enumerate(self.reading.lengths)]

    def _call_each(self, graph, function, *columns, **keywords):
        """Call a function for each chunk: columns have what is its, keywords what is the same."""
        return [
            self._call(graph, function, *line, number=number, **keywords)
            for number, line in enumerate(zip(*columns))
        ]

    def _call(self, graph, function, *needed, number="", **keywords):
        # The scheduler knows tasks by what their names begin with. From the first pass it knows how
        # short those of the next are, and that moving chunks around would take longer.
        begin = "pass_over" if function in (read_chunk, _update_chunk) else function.__name__
        key = f"{begin}-{self.token}-{next(self.count)}-{number}"
        return add_task(graph, key, function, *needed, **keywords)

    def _send(self, graph, it):
        """Have a task give what all others need, so that each worker gets it once."""
        return self._call(graph, same, it=it)

    def _sum(self, graph, add, parts):
        """Add parts in a tree, neighbours first."""
        while len(parts) > 1:
            lots = gen_batches(len(parts), FAN_IN)
            parts = [self._call(graph, add, parts[lot]) for lot in lots]
        return parts[0]

    def _pass(self, graph, total, *kept):
        """What one task of a graph gives; tasks in columns, one for each chunk, are kept.

        Without `persist`, what is kept of them is how to make them again.
        """
        kept = [column for column in kept if column[0] is not None]
        done = Tasks(graph, [*chain(*kept), total])
        try:
            done = done.persist() if self.persist else done
            (value,) = Tasks(done.graph, [total]).compute()
        except BaseException as error:
            try:
                self._name_the_chunk(error, done, kept)
            finally:
                if done.graph is not graph:
                    release(done)
            raise
        if self.persist:
            del done.graph[total]
            self.kept |= done.graph
        if kept:
            self.graph = self.kept if self.persist else graph
        return value

    def _name_the_chunk(self, error, done, kept):
        """Raise an error that names the chunk which another is about, if it is about any."""
        # What was cancelled is no fault, and without its client chunks would be read here.
        if not isinstance(error, Exception) or isinstance(
            error, (CancelledError, ChangedChunkError)
        ):
            return
        message = f"{type(error).__name__}: {error}"
        if type(error).__name__ == "KilledWorker":
            chunk = self._chunk_of(error.task)  # it is not tried again
            if chunk is None:
                return
        else:
            chunk = _first_failed(done, kept)
            if chunk is None:
                chunk = first_unreadable(Tasks(self.graph, self.blocks))
            if chunk is None:
                raise RuntimeError(
                    f"A chunk failed, but each can be read when it is tried again. {message}"
                ) from error
        raise RuntimeError(f"Chunk {chunk} failed. {message}") from error

    def _chunk_of(self, task):
        """Number of the chunk that a task is for, by the name of the task, or None."""
        if f"-{self.token}-" in str(task):
            number = task.rpartition("-")[2]
            return int(number) if number else None
        return number_of_killer(self.given, task)


def _first_failed(done, kept):
    """Number of the first chunk of which a task that workers were to keep has failed, or None."""
    failed = [
        number
        for column in kept
        for number, key in enumerate(column)
        if getattr(done.graph[key], "status", None) == "error"
    ]
    return min(failed, default=None)


def _ask(sent, block):
    response, estimator = sent
    return response.scores_of_chunk(estimator, block)


def _sum_of_squares(scores, weights):
    if weights is not None and len(weights) != len(scores):
        return 0.0, 0.0  # to be named when it is read
    if not scores.shape[0]:
        return 0.0, 0.0
    squares = np.square(scores.min(axis=1), dtype=np.float64)
    weights = np.ones(len(squares)) if weights is None else weights
    return squares @ weights, weights.sum()


def _update_chunk(grown, scores, chunk, expected, kind, divisor):
    check_again(chunk, *expected)
    return update_chunk(scores, chunk, grown, kind, divisor)


def _soft_profiles_of(scores, chunk, expected, leaves, kind, divisor):
    check_again(chunk, *expected)
    return soft_profiles_of(scores, chunk, leaves, kind, divisor)


def _call_on_rows(function, scores, leaves, weights, kind, divisor):
    return function(as_logits(scores, kind, divisor), leaves, weights)


def _length_of(scores):
    return [scores.shape[0] if getattr(scores, "ndim", 0) else 0]  # the pass names what is no array


def _leaf_of(chunk):
    return chunk.leaf


def _chained(lists):
    return list(chain(*lists))


def _add_pairs(pairs):
    return tuple(map(sum, zip(*pairs)))


def _answer_of(chunk):
    # A task of its own, with nothing else to wait for, so that it is done where the chunk is.
    return chunk.answer
