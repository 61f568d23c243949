"""Tasks of Dask's in one graph: a pass over any number of chunks is handed over as a whole."""

import sys
from functools import partial

import numpy as np

__all__ = ["Tasks", "add_task", "import_dask", "release", "same", "tasks_of"]


def import_dask():
    """Dask and its arrays."""
    try:
        import dask
        import dask.array
        import dask.highlevelgraph
        import dask.threaded
    except ImportError:
        raise ImportError('Chunks of rows need Dask: pip install "skl2h[dask]".') from None
    return dask


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
