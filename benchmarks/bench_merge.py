"""Time and memory of a tree, compared with a softmax of the same logits and a plain evaluation.

    python benchmarks/bench_merge.py            # 50,000 x 1,000 and smaller, about 5 minutes
    python benchmarks/bench_merge.py --large    # also a 5 GB memory map and sparse rows

Every time is the shortest of several runs with warm buffers, all in one process. (The plain
evaluation, the memory map and the sparse rows run once.) A ratio compares two times of the same
run. "CPU" is the time that all threads together compute, which other work on the machine lengthens
less. Memory is the peak that is allocated beyond the input.

"rows by" says what reads the rows: NumPy alone, or kernels that Numba compiles if it is there.

There are two kinds of logits. "vectors" are as the last layer of a network gives them: features
around a vector for each class, times these vectors. In "planted" all confusions follow a balanced
tree, and nearly every row must be read again whenever its group has grown.
"""

import argparse
import os
import platform
import tempfile
import time
import tracemalloc
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing.pool import ThreadPool
from pathlib import Path
from unittest.mock import patch

import numpy as np
import scipy
import sklearn
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix
from scipy.spatial.distance import squareform
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from skl2h import L2HClustering
from skl2h.datasets import make_hierarchical_logits
from skl2h.logits.matrix import as_logits
from skl2h.merge.dense_rows import sum_of_each, sum_of_exp
from skl2h.merge.loop import merge_leaves
from skl2h.merge.rows import read_rows

HAS_NUMBA = find_spec("numba") is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also 5 GB of rows; takes minutes")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print_versions()
    bench_dense(arguments.repeats)
    bench_predict(5)
    with patch.dict(os.environ, SKL2H_KERNELS="numpy"):
        bench_steps(arguments.repeats)
    if arguments.large:
        bench_memory_map()
        bench_sparse()


def print_versions():
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    compiler = "no Numba"
    if HAS_NUMBA:
        from llvmlite.binding import get_host_cpu_name

        compiler = f"Numba {version('numba')} for {get_host_cpu_name()}"
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}, scikit-learn {sklearn.__version__}, {compiler}, "
        f"NumPy's instructions: {' '.join(extensions['baseline'] + extensions['found'])}\n"
    )


def reading_rows_by(n_jobs=(None,)):
    """Yield what can read dense rows, while it does so, with each number of workers."""
    for kernels in ("numpy", "numba") if HAS_NUMBA else ("numpy",):
        with patch.dict(os.environ, SKL2H_KERNELS=kernels):
            yield from ((kernels, each) for each in n_jobs)


def bench_dense(repeats):
    print(
        "logits    rows  leaves dtype   rows by n_jobs reads       s  / softmax     CPU  / softmax"
        "  plain /  average /   MiB"
    )
    for kind in ("vectors", "planted"):
        for n_rows, n_leaves, dtype in (
            (10_000, 10, np.float64),
            (10_000, 150, np.float32),
            (50_000, 1_000, np.float32),
            (50_000, 1_000, np.float64),
        ):
            logits = make_logits(kind, n_rows, n_leaves, dtype)
            children, of_plain = fastest(1, plain_children, logits)
            _, of_average = fastest(2, average_linkage, logits)
            softmax(logits, axis=1)  # its memory has been touched once
            _, of_softmax, cpu_of_softmax = measured(repeats, softmax, logits, axis=1)
            for kernels, n_jobs in reading_rows_by((1, 2)):
                merges, ours, cpu = measured(
                    repeats, merge_leaves, as_logits(logits), n_jobs=n_jobs
                )
                if not np.array_equal(merges.children, children):
                    raise SystemExit("the tree is not that of the plain evaluation")
                memory = peak_memory(merge_leaves, as_logits(logits), n_jobs=n_jobs)
                print(
                    f"{kind:8} {n_rows:6} {n_leaves:6} {np.dtype(dtype).name:8} {kernels:6} "
                    f"{n_jobs:6} {merges.n_reads:5.1f} {ours:7.3f} {ours / of_softmax:10.2f} "
                    f"{cpu:7.3f} {cpu / cpu_of_softmax:10.2f} {of_plain / ours:8.1f} "
                    f"{of_average / ours:9.1f} {memory / 2**20:6.1f}",
                    flush=True,
                )
            print(f"{'':24} softmax: {cpu_of_softmax / logits.size * 1e9:.1f} ns an entry, CPU")


def bench_predict(repeats, n_rows=1_000_000, n_features=64, n_classes=100):
    """Time of labels at a level, compared with that of the inner model's scores."""
    random_state = np.random.default_rng(0)
    centres = 2 * random_state.standard_normal((n_classes, n_features))
    y = random_state.permutation(n_rows) % n_classes
    X = centres[y] + random_state.standard_normal((n_rows, n_features))
    few = slice(20_000)
    linear = LogisticRegression(max_iter=10).fit(X[few], y[few])
    means = KMeans(n_classes, n_init=1, max_iter=5, random_state=0).fit(X[few])
    mixture = GaussianMixture(20, max_iter=2, random_state=0).fit(X[few])
    print(f"\npredict(level=10), {n_rows:,} rows x {n_features}, beyond the model's own scores")
    for model, scores in (
        (linear, linear.decision_function),
        (means, means.transform),
        (mixture, mixture.predict_proba),
    ):
        tree = L2HClustering(FrozenEstimator(model)).fit(X[few])
        _, of_scores = fastest(repeats, lambda scores=scores: len(scores(X)))  # drops them
        _, ours = fastest(repeats, tree.predict, X, level=10)
        _, theirs = fastest(repeats, model.predict, X)
        print(
            f"  {type(model).__name__:20} {tree.n_leaves_:4} leaves {ours / of_scores - 1:7.1%}"
            f", the model's own predict {theirs / of_scores - 1:7.1%}",
            flush=True,
        )


def bench_steps(repeats):
    """NumPy's floor: each step that cannot be avoided, timed alone, compared with the tree."""
    logits = make_logits("vectors", 50_000, 1_000)
    block, V = logits[:256], logits[:256].astype(np.float64)
    out = np.empty_like(V)
    steps = {
        "to float64": (np.copyto, out, block),
        "largest, in float32": (block.argmax, 1),
        "largest of the others": (V.argmax, 1),
        "exponential": (np.exp, V, out),
        "sum": (np.sum, V, 1),
    }
    cost = {}
    print("\n50,000 x 1,000 float32, ns an entry of these, one worker unless said")
    for name, (function, *values) in steps.items():
        cost[name] = fastest(10 * repeats, function, *values)[1] / V.size * 1e9
        print(f"  {name:40} {cost[name]:6.2f}")
    first = sum(cost.values())
    rows, places, exponentials = count_read_again(logits)
    # More than the cache holds, in a few calls, with memory that has been touched before.
    random_state = np.random.default_rng(0)
    some_rows = random_state.integers(len(logits), size=(64, 256))
    some_places = random_state.integers(logits.size, size=(64, 16_384))
    row = fastest(repeats, take_each, logits, some_rows)[1] / some_rows.size * 1e9
    place = fastest(repeats, take_each, logits.reshape(-1), some_places)[1] / some_places.size * 1e9
    again = (rows * row + places * place + exponentials * cost["exponential"]) / logits.size
    workers = speed_up(out)
    _, whole_softmax = fastest(repeats, softmax, logits, axis=1)
    for name, value in (
        ("these together: floor of the first read", first),
        (f"{rows:,} rows at random", rows * row / logits.size),
        (f"{places:,} entries at random", places * place / logits.size),
        (f"{exponentials:,} exponentials", exponentials * cost["exponential"] / logits.size),
        ("these together: floor of reading again", again),
        ("both floors", first + again),
        (f"both, two workers {workers:.2f} times as fast", (first + again) / workers),
    ):
        print(f"  {name:40} {value:6.2f}")
    for name, function, *values in (
        ("the first read, n_jobs=1", read_rows, as_logits(logits)),
        ("the first read, n_jobs=2", read_rows, as_logits(logits), 2),
        ("the whole tree, n_jobs=1", merge_leaves, as_logits(logits)),
        ("softmax, 256 rows at a time", blocked_softmax, logits, 256),
    ):
        print(f"  {name:40} {fastest(repeats, function, *values)[1] / logits.size * 1e9:6.2f}")
    print(f"  {'softmax':40} {whole_softmax / logits.size * 1e9:6.2f}")
    _, plain = fastest(1, plain_children, logits)
    print(f"  {'plain evaluation':40} {plain / logits.size * 1e9:6.2f}")


def take_each(values, indices):
    out = np.empty(indices.shape[1:] + values.shape[1:], dtype=values.dtype)
    for index in indices:
        values.take(index, axis=0, out=out, mode="clip")


def count_read_again(logits):
    """Whole rows and single entries read, and exponentials taken, after the first read."""
    counted = {"at": 0, "at_places": 0, "exponentials": 0}

    def count(what, function):
        def counting(*arguments, **options):
            values = function(*arguments, **options)
            counted[what] += values.size
            return values

        return counting

    def count_exponentials(function):
        def counting(V, *arguments):
            counted["exponentials"] += V.size
            return function(V, *arguments)

        return counting

    view = as_logits(logits)
    state = read_rows(view)
    view.at = count("at", view.at)
    view.at_places = count("at_places", view.at_places)
    with (
        patch("skl2h.merge.dense_rows.sum_of_exp", count_exponentials(sum_of_exp)),
        patch("skl2h.merge.dense_rows.sum_of_each", count_exponentials(sum_of_each)),
    ):
        merge_leaves(view, state=state)
    return counted["at"] // logits.shape[1], counted["at_places"], counted["exponentials"]


def speed_up(V):
    """Speed of two threads that take exponentials of separate blocks, over that of one thread."""
    blocks = [(-V, np.empty_like(V)) for _ in range(2)]

    def work(arrays):
        for _ in range(50):
            np.exp(*arrays)

    with ThreadPool(2) as pool:
        _, one = fastest(20, work, blocks[0])
        _, two = fastest(20, pool.map, work, blocks, 1)
    return 2 * one / two


def blocked_softmax(logits, n_rows):
    for start in range(0, len(logits), n_rows):
        softmax(logits[start : start + n_rows], axis=1)


def bench_memory_map(n_rows=1_280_000, n_leaves=1_000):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logits.npy"
        shape = (n_rows, n_leaves)
        mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        step = 20_000
        for start in range(0, n_rows, step):
            mapped[start : start + step] = make_logits("vectors", step, n_leaves, seed=start)
        del mapped
        mapped = np.load(path, mmap_mode="r")

        _, of_softmax = fastest(2, blocked_softmax, mapped, 1_000)
        for kernels, _ in reading_rows_by():
            merges, ours = fastest(1, merge_leaves, as_logits(mapped), n_jobs=2)
            memory = peak_memory(merge_leaves, as_logits(mapped), n_jobs=2)
            print(
                f"\nmemory map, {n_rows:,} x {n_leaves:,} float32, rows by {kernels}, n_jobs=2: "
                f"{ours:.1f} s, {ours / of_softmax:.2f} times a blocked softmax, each row read "
                f"{merges.n_reads:.1f} times, {memory / 2**20:.0f} MiB"
            )


def bench_sparse(n_rows=1_000_000, n_leaves=100_000, n_stored=16):
    logits = make_sparse(n_rows, n_leaves, n_stored)
    merges, ours = fastest(1, merge_leaves, as_logits(logits))
    memory = peak_memory(merge_leaves, as_logits(logits))
    print(
        f"\nsparse, {n_rows:,} rows x {n_stored} entries, K = {n_leaves:,}: {ours:.1f} s, each row "
        f"read {merges.n_reads:.1f} times, {memory / 2**20:.0f} MiB"
    )


def make_sparse(n_rows, n_leaves, n_stored):
    random_state = np.random.default_rng(0)
    # A huge output layer: the stored leaves are near the leaf of the row, at all scales.
    own = random_state.integers(0, n_leaves, n_rows)
    scale = 2.0 ** random_state.integers(0, 17, (n_rows, n_stored))
    away = np.rint(random_state.standard_normal(scale.shape) * scale).astype(int)
    leaves = (own[:, np.newaxis] + away) % n_leaves
    values = 6 - np.log2(scale) / 2 + random_state.standard_normal(scale.shape)
    indptr = np.arange(0, n_rows * n_stored + 1, n_stored)
    logits = csr_matrix(
        (values.astype(np.float32).ravel(), leaves.ravel(), indptr), (n_rows, n_leaves)
    )
    logits.sum_duplicates()
    return logits


def make_logits(kind, n_rows, n_leaves, dtype=np.float32, seed=0):
    if kind == "planted":
        logits, _, _ = make_hierarchical_logits(
            n_rows, n_leaves, separation=1.5, noise=1.5, random_state=seed
        )
        return logits.astype(dtype)
    vectors = np.random.default_rng(0).standard_normal((n_leaves, 64))
    random_state = np.random.default_rng(seed + 1)
    features = vectors[random_state.permutation(n_rows) % n_leaves]
    features = features + 1.5 * random_state.standard_normal(features.shape)
    return (features @ vectors.T / 3).astype(dtype)


def fastest(repeats, function, *arguments, **keywords):
    """Result and shortest time."""
    return measured(repeats, function, *arguments, **keywords)[:2]


def measured(repeats, function, *arguments, **keywords):
    """Result, shortest time and shortest CPU time."""
    times = []
    for _ in range(repeats):
        start, cpu = time.perf_counter(), time.process_time()
        result = function(*arguments, **keywords)
        times.append((time.perf_counter() - start, time.process_time() - cpu))
    return result, *map(min, zip(*times))


def peak_memory(function, *arguments, **keywords):
    tracemalloc.start()
    function(*arguments, **keywords)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def plain_children(logits):
    """One merge at a time in float64, from the rows of the selected group."""
    n_leaves = logits.shape[1]
    h = logits.argmax(axis=1)
    rows_of = [np.flatnonzero(h == leaf) for leaf in range(n_leaves)]
    doubts = []
    for leaf, rows in enumerate(rows_of):
        V = logits[rows].astype(np.float64)
        V = np.exp(V - V[:, [leaf]])
        V[:, leaf] = 0
        outside = V.sum(axis=1)
        doubts.append((outside / (1 + outside)).mean() if len(rows) else 1.0)
    groups = {leaf: ([leaf], 1 - doubt) for leaf, doubt in enumerate(doubts)}
    children = []
    while len(groups) > 1:
        selected = min(groups, key=lambda node: groups[node][1])
        inside, score = groups.pop(selected)
        V = logits[np.concatenate([rows_of[leaf] for leaf in inside])].astype(np.float64)
        V[:, inside] = -np.inf
        V = softmax(V, axis=1)
        profile = np.bincount(V.argmax(axis=1), weights=V.max(axis=1), minlength=n_leaves)
        partner = max(groups, key=lambda node: profile[groups[node][0]].mean())
        others, other_score = groups.pop(partner)
        groups[n_leaves + len(children)] = (inside + others, score + other_score)
        children.append((selected, partner))
    return np.array(children)


def average_linkage(logits):
    """An alternative to L2H: SciPy's average linkage of the soft confusions."""
    p = softmax(logits, axis=1)
    confusions = p.T @ p
    size = np.sqrt(np.diag(confusions))
    distance = 1 - confusions / np.outer(size, size)
    return linkage(squareform(distance, checks=False), "average")


if __name__ == "__main__":
    main()
