"""A tree of rows on worker processes, compared with rows in memory on the same cores.

    python benchmarks/bench_distributed.py                       # 4,000,000 x 200, 4 minutes, 8 GB
    python benchmarks/bench_distributed.py --configurations 50   # workers and chunks at random
    python benchmarks/bench_distributed.py --scaling             # costs of a pass in one thread
    python benchmarks/bench_distributed.py --small-chunks        # Dask's own time for a chunk

The workers make the chunks, before the time is taken. The array in memory is read by two threads,
in a process that does nothing else. Times are the shortest of five. Bytes are all those that
workers sent to each other or to the client in each pass, not only the sums. The client's memory is
the peak of its process, which is also the scheduler's.
"""

import argparse
import logging
import os
import pickle
import resource
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unittest.mock import patch

import dask
import dask.array as da
import numpy as np
from bench_merge import make_logits, make_sparse
from distributed import Client, LocalCluster, wait
from scipy.sparse import issparse

from skl2h import l2h_tree
from skl2h.merge.distributed import dask_chunks
from skl2h.merge.distributed.dask_chunks import DaskChunks
from skl2h.merge.distributed.dask_graph import Tasks


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--leaves", type=int, default=200)
    parser.add_argument("--chunk", type=int, default=200_000)
    parser.add_argument("--configurations", type=int, default=0)
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--small-chunks", action="store_true")
    arguments = parser.parse_args()
    if arguments.scaling:
        bench_scaling("50,000 rows in a chunk", make_logits("vectors", 200_000, 1000), 50_000)
        bench_scaling("a quarter of the rows in a chunk", make_sparse(10**6, 10**5, 16), 250_000)
    elif arguments.small_chunks:
        bench_small_chunks()
    elif arguments.configurations:
        bench_configurations(arguments.configurations)
    else:
        bench_cluster(arguments.rows, arguments.leaves, arguments.chunk)


def make_block(start, stop, n_leaves, seconds=0.0):
    """Logits as a network gives them: the same rows, whatever the chunks."""
    time.sleep(seconds)
    vectors = np.random.default_rng(0).standard_normal((n_leaves, 32), dtype=np.float32)
    out = np.empty((stop - start, n_leaves), dtype=np.float32)
    for part in range(start // 1000, -(-stop // 1000)):
        random_state = np.random.default_rng([1, part])
        leaves = random_state.integers(0, n_leaves, 1000)
        noise = random_state.standard_normal((1000, 32), dtype=np.float32)
        rows = (vectors[leaves] + noise) @ vectors.T / 2
        first, last = max(start, 1000 * part), min(stop, 1000 * (part + 1))
        out[first - start : last - start] = rows[first - 1000 * part : last - 1000 * part]
    return out


def in_memory(n_rows, n_leaves, repeats=5):
    """Tree of one array, and the time that two threads take."""
    logits, times = make_block(0, n_rows, n_leaves), []
    for _ in range(repeats):
        start = time.perf_counter()
        tree = l2h_tree(logits, n_jobs=2)
        times.append(time.perf_counter() - start)
    return tree.children, min(times)


def alone(function, *arguments):
    """Result of a function that is called in a separate process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def start_cluster(n_workers):
    return LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        silence_logs=logging.CRITICAL,
    )


def make_array(lengths, n_leaves, seconds=None):
    bounds = np.cumsum([0, *lengths]).tolist()
    make = dask.delayed(make_block)
    seconds = [0.0] * len(lengths) if seconds is None else seconds
    parts = [
        da.from_delayed(make(start, stop, n_leaves, pause), (stop - start, n_leaves), np.float32)
        for start, stop, pause in zip(bounds, bounds[1:], seconds)
    ]
    return da.concatenate(parts)


# Dask starts workers so that they return memory as soon as it is free. So memory that NumPy frees
# between two steps has to be fetched again. With these settings they keep it.
KEEP_MEMORY = {
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": 2**28,
    "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 2**25,
}


def bench_cluster(n_rows, n_leaves, chunk):
    children, of_memory = alone(in_memory, n_rows, n_leaves)
    n_bytes = 4 * n_rows * n_leaves
    print(
        f"{n_rows:,} x {n_leaves} float32, {n_bytes / 2**30:.2f} GiB; "
        f"in memory, two threads: {of_memory:.2f} s",
        flush=True,
    )
    for what, config in (("as Dask starts them", {}), ("that keep memory", KEEP_MEMORY)):
        with dask.config.set(config), start_cluster(2) as cluster, Client(cluster) as client:
            bench_passes(client, n_rows, n_leaves, chunk, children, of_memory, what)
            if config:
                bench_deaths(client, n_rows, n_leaves, chunk, children)


def bench_passes(client, n_rows, n_leaves, chunk, children, of_memory, what):
    n_bytes = 4 * n_rows * n_leaves
    lengths = lengths_of(n_rows, chunk)
    X = make_array(lengths, n_leaves).persist()
    wait(X)
    l2h_tree(make_array([1000, 1000], n_leaves))  # workers import what they need
    times = []
    for _ in range(5):
        with passes_watched(client) as passes:
            start = time.perf_counter()
            tree = l2h_tree(X)
            times.append(time.perf_counter() - start - sum(p["watching"] for p in passes))
        check(tree, children)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    most = max(p["bytes"] for p in passes)
    print(
        f"{len(lengths)} chunks, two worker processes {what}: {min(times):.2f} s, "
        f"{min(times) / of_memory:.2f} times as long; client {peak:.0f} MiB"
    )
    print("pass       s  bytes sent  of the data")
    for number, p in enumerate(passes):
        share = p["bytes"] / n_bytes
        print(f"{number:4} {p['seconds']:7.2f} {p['bytes']:11,} {share:12.4%}")
    print(f"most in a pass: {most / n_bytes:.4%} of the data", flush=True)


def bench_deaths(client, n_rows, n_leaves, chunk, children):
    lengths = lengths_of(n_rows, chunk)
    for n_deaths in (1, 2):
        X = make_array(lengths, n_leaves).persist()
        wait(X)
        start = time.perf_counter()
        with deaths_in_second_pass(client, n_deaths) as dead:
            tree = l2h_tree(X)
        check(tree, children)
        seconds = time.perf_counter() - start
        print(
            f"workers killed in the second pass: {len(dead)}; same tree in {seconds:.1f} s",
            flush=True,
        )
        del X


def lengths_of(n_rows, chunk):
    return [min(chunk, n_rows - start) for start in range(0, n_rows, chunk)]


def check(tree, children):
    if not np.array_equal(tree.children, children):
        raise SystemExit("the tree is not that of one array")


def sent(client):
    """Bytes that workers have sent."""

    def sent_by(dask_worker):
        return dask_worker.transfer_outgoing_bytes_total

    return sum(client.run(sent_by).values())


class passes_watched:  # noqa: N801 (used as a function)
    """Seconds and bytes of each pass of the trees that are made in the context."""

    def __init__(self, client):
        self.client = client

    def __enter__(self):
        passes, run_pass, client = [], DaskChunks._pass, self.client
        self.run_pass = run_pass

        def watched(chunks, *arguments):
            begin = time.perf_counter()
            before = sent(client)
            start = time.perf_counter()
            found = run_pass(chunks, *arguments)
            stop = time.perf_counter()
            after = sent(client)
            watching = start - begin + time.perf_counter() - stop
            passes.append({"seconds": stop - start, "bytes": after - before, "watching": watching})
            return found

        DaskChunks._pass = watched
        return passes

    def __exit__(self, *_):
        DaskChunks._pass = self.run_pass


class deaths_in_second_pass:  # noqa: N801 (used as a function)
    """Kill a worker in the middle of the second pass, and another while its work is done again."""

    def __init__(self, client, n_deaths):
        self.client, self.n_deaths = client, n_deaths

    def __enter__(self):
        dead, update, client, n_deaths = [], DaskChunks.update, self.client, self.n_deaths
        self.update = update

        def kill(pid):
            os.kill(pid, signal.SIGKILL)
            dead.append(pid)

        def watched(chunks, grown):
            if not dead:
                pids = list(client.run(os.getpid).values())[:n_deaths]
                for number, pid in enumerate(pids):
                    threading.Timer(0.1 + number, kill, (pid,)).start()
            return update(chunks, grown)

        DaskChunks.update = watched
        return dead

    def __exit__(self, *_):
        DaskChunks.update = self.update


def bench_small_chunks():
    """Chunks of so few rows that Dask takes most of the time."""
    with start_cluster(2) as cluster, Client(cluster) as client:
        for n_chunks in (250, 1000, 4000):
            X = make_array([20] * n_chunks, 10).persist()
            wait(X)
            with passes_watched(client) as passes:
                l2h_tree(X)
            seconds = sum(p["seconds"] for p in passes)
            print(
                f"{n_chunks:5} chunks, {len(passes)} passes: {seconds:6.2f} s, "
                f"{1000 * seconds / n_chunks / len(passes):.2f} ms for each chunk in each pass",
                flush=True,
            )


def bench_configurations(n_configurations, n_rows=600_000, n_leaves=50):
    """Random workers, chunks and orders of completion, which all give one tree."""
    children, _ = alone(in_memory, n_rows, n_leaves, 1)
    random_state = np.random.default_rng(0)
    for number in range(n_configurations):
        n_workers = int(random_state.integers(1, 5))
        typical = 10 ** random_state.uniform(3, np.log10(500_000))
        lengths, left = [], n_rows
        while left:
            length = int(np.clip(typical * random_state.uniform(0.5, 1.5), 1000, 500_000))
            length = left if left - length < 1000 else length
            lengths.append(min(length, left))
            left -= lengths[-1]
        seconds = random_state.uniform(0, min(5.0 / len(lengths), 0.3), len(lengths))
        persist = bool(random_state.integers(2))
        with start_cluster(n_workers) as cluster, Client(cluster):
            start = time.perf_counter()
            check(l2h_tree(make_array(lengths, n_leaves, seconds), persist=persist), children)
        print(
            f"{number:3}: {n_workers} workers, {len(lengths):3} chunks of {min(lengths):6} to "
            f"{max(lengths):6} rows, {'kept' if persist else 'made again'}: the same tree, "
            f"{time.perf_counter() - start:.1f} s",
            flush=True,
        )


def bench_scaling(what, logits, chunk):
    """Passes, and the cost of each, in one thread."""
    n_rows, n_leaves = logits.shape
    entries = logits.nnz if issparse(logits) else logits.size
    starts = range(0, n_rows, chunk)
    graph = {
        ("block", number): logits[start : start + chunk] for number, start in enumerate(starts)
    }
    blocks = Tasks(graph, list(graph))
    told, passes, run_pass = [], [], DaskChunks._pass

    def told_by(chunk):
        told.append(len(pickle.dumps(chunk.told)))
        return chunk.told

    def watched(chunks, *arguments):
        told.clear()
        start = time.process_time()
        found = run_pass(chunks, *arguments)
        seconds = time.process_time() - start
        passes.append((seconds, np.mean(told or [0]), len(pickle.dumps(found))))
        return found

    with (
        dask.config.set(scheduler="synchronous"),
        patch.object(DaskChunks, "_pass", watched),
        patch.object(dask_chunks, "_told_by", told_by),
    ):
        start = time.process_time()
        merges = DaskChunks(blocks).merge()
        seconds = time.process_time() - start
        kept, passes[:] = passes[:], []
        DaskChunks(blocks, persist=False).merge()
        again = sum(of_pass for of_pass, *_ in passes)
    print(f"\n{n_rows:,} rows, {entries:,} entries, K = {n_leaves:,}, {what}")
    print(f"{len(kept)} passes, each row looked at {merges.n_reads:.1f} times")
    print("pass  ns an entry  MiB from a chunk  MiB to the client")
    for number, (of_pass, of_chunk, of_all) in enumerate(kept):
        each = of_pass / entries * 1e9
        print(f"{number:4} {each:12.2f} {of_chunk / 2**20:17.3f} {of_all / 2**20:18.3f}")
    of_passes = sum(of_pass for of_pass, *_ in kept)
    print(
        f"all passes {of_passes / entries * 1e9:.1f} ns an entry, "
        f"{again / entries * 1e9:.1f} if nothing is kept between them; merging itself "
        f"{(seconds - of_passes) / n_leaves * 1e6:.0f} us a leaf",
        flush=True,
    )


if __name__ == "__main__":
    main()
