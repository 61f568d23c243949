"""Tasks of Dask's in one graph: a pass over any number of chunks is handed over as a whole."""

import sys
from collections import defaultdict
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import numpy as np

from ...logits.kinds import import_dask

__all__ = [
    "Tasks",
    "add_task",
    "first_unreadable",
    "naming_the_chunk",
    "number_of_killer",
    "release",
    "same",
    "tasks_of",
]

# Chunks that are tried at a time, to find the one that cannot be read.
TRIED = 32


class Tasks:
    """Some tasks of a graph, as one collection of Dask's; computed, it is a list of what they give.

    A collection for each task, as of `dask.delayed`, would do, but takes Dask time that grows with
    the square of their number. What is defined here is what Dask's documentation asks of custom
    collections.

    Parameters
    ----------
    graph : dict
        Tasks by their keys: those of `keys`, and whatever they need.
    keys : list
    """

    def __init__(self, graph, keys):
        self.graph = graph
        self.keys = keys

    def __dask_graph__(self):
        return self.graph

    def __dask_keys__(self):
        return self.keys

    def __dask_tokenize__(self):
        return tuple(self.keys)

    def __dask_postcompute__(self):
        return list, ()

    def __dask_postpersist__(self):
        return _persisted, (self.keys,)

    @staticmethod
    def __dask_optimize__(graph, keys, **_):
        # What workers have need not be in the graph: Dask's own way to cull allows for that.
        dask = import_dask()
        HighLevelGraph = dask.highlevelgraph.HighLevelGraph
        if not isinstance(graph, HighLevelGraph):
            graph = HighLevelGraph.from_collections("tasks", graph)
        return graph.cull(set(dask.core.flatten(keys)))

    @staticmethod
    def __dask_scheduler__(graph, keys, **options):
        return import_dask().threaded.get(graph, keys, **options)

    def compute(self):
        """What the tasks give, a list."""
        return import_dask().compute(self)[0]

    def persist(self):
        """The same tasks, which are done, or being done, and kept where that is."""
        return import_dask().persist(self)[0]


def _persisted(graph, keys, **_):
    return Tasks(graph, keys)


def tasks_of(collection):
    """`Tasks` that give the chunks of an array or a data frame of Dask's, in their order."""
    dask = import_dask()
    chunks = collection.to_delayed()
    if isinstance(chunks, np.ndarray):
        chunks = chunks.ravel().tolist()
    graph = {}
    for one in {id(chunk.dask): chunk.dask for chunk in chunks}.values():  # mostly it is the same
        graph.update(dask.utils.ensure_dict(one))
    if "distributed" in sys.modules:
        from distributed import futures_of

        # Dask leaves out what workers have. But nothing else may hold on to it, nor say that its
        # key is one.
        held = futures_of(collection)
        graph.update((future.key, future) for future in held if future.key not in graph)
    return Tasks(graph, [chunk.key for chunk in chunks])


def add_task(graph, key, function, *needed, **keywords):
    """Add the call of a function, of what other tasks give, to a graph: its key.

    What is needed are keys, lists of them, or None. Keywords go with the task: what is long and the
    same for many is better a task of its own.
    """
    # Dask looks for keys among the arguments, but not in a partial.
    graph[key] = (partial(function, **keywords), *needed)
    return key


def same(it):
    """What a task gives that has it from the start."""
    return it


def release(tasks):
    """Let go of what workers keep, or still compute, for tasks that were persisted."""
    # References alone would do, but an error's traceback holds on to them.
    if "distributed" in sys.modules:
        from distributed import futures_of

        for future in futures_of(tasks):
            future.release()


@contextmanager
def naming_the_chunk(chunks, what="Chunk {}"):
    """Name the chunk, of `Tasks`, in the error of what fails meanwhile, if a chunk is at fault."""
    try:
        yield
    except CancelledError:
        raise  # no fault of a chunk's
    except Exception as error:
        if type(error).__name__ == "KilledWorker":
            number = number_of_killer(chunks, error.task)  # it is not tried again
        else:
            number = first_unreadable(chunks)
        if number is None:
            raise
        message = f"{type(error).__name__}: {error}"
        raise RuntimeError(f"{what.format(number)} failed. {message}") from error


def number_of_killer(chunks, task):
    """Number of the first of some chunks, `Tasks`, that needs a task, or None."""
    dask = import_dask()
    needed_by = defaultdict(list)
    for key in chunks.graph:
        for needed in dask.core.get_dependencies(chunks.graph, key):
            needed_by[needed].append(key)
    found, ahead = set(), [task]
    while ahead:
        key = ahead.pop()
        if key not in found:
            found.add(key)
            ahead += needed_by[key]
    return next((number for number, key in enumerate(chunks.keys) if key in found), None)


def first_unreadable(chunks):
    """Number of the first of some chunks, `Tasks`, that raises an error, or None."""
    for start in range(0, len(chunks.keys), TRIED):
        some = chunks.keys[start : start + TRIED]
        if _can_be_read(chunks.graph, some):
            continue
        for number, key in enumerate(some, start):
            if not _can_be_read(chunks.graph, [key]):
                return number
    return None


def _can_be_read(graph, keys):
    graph, name = dict(graph), f"touch-{uuid4().hex}"
    touched = [add_task(graph, (name, i), _touch, key) for i, key in enumerate(keys)]
    try:
        Tasks(graph, touched).compute()
    except CancelledError:
        raise
    except Exception:
        return False
    return True


def _touch(chunk):
    return None
