"""TURTLE: its steps compared with their matrix products, how good its clusters are, and memory.

    python benchmarks/bench_turtle.py                   # steps, memory map, digits
    python benchmarks/bench_turtle.py --features FILE   # clusters of embeddings as well

FILE is an .npz with features X and labels y. Times are medians and minima, in one process. Each
step is timed next to its products, so that both run under the same load. Memory is the peak that is
allocated beyond the features.
"""

import argparse
import os
import tempfile
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from skl2h import TURTLE
from skl2h.flat.feature_spaces import Space, batches_of
from skl2h.flat.turtle_search import Search
from skl2h.metrics import clustering_accuracy


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=Path, help="an .npz with X and y")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=["steps", "map", "digits", "features"])
    arguments = parser.parse_args()
    if arguments.only == "features" and not arguments.features:
        parser.error("--only features needs --features FILE")
    print(f"{os.cpu_count()} cores, NumPy {np.__version__}")
    parts = {"steps": bench_steps, "map": bench_memory_map, "digits": bench_digits}
    for name, bench in parts.items():
        if arguments.only in (None, name):
            bench()
    if arguments.features and arguments.only in (None, "features"):
        bench_features(arguments.features, arguments.seeds)


def bench_steps():
    print("\na step with its batch, beside its matrix products alone")
    print(
        "  rows  features  clusters  spaces   step ms (least)   products ms (least)   ratio (least)"
    )
    for n_drawn, width, n_clusters, n_spaces in (
        (2_000, 384, 150, 1),
        (2_000, 768, 100, 2),
        (10_000, 384, 150, 1),
        (10_000, 768, 10, 1),
    ):
        random_state = np.random.default_rng(0)
        spaces = [
            Space(random_state.standard_normal((2 * n_drawn, width), dtype=np.float32))
            for _ in range(n_spaces)
        ]
        search = search_of(n_clusters, [width] * n_spaces, n_drawn, random_state)
        batches = batches_of(spaces, n_drawn, random_state, np.float32)
        times = []
        for _ in range(40 if n_drawn < 5_000 else 12):
            started = time.perf_counter()
            batch = next(batches)
            search.step(batch)
            between = time.perf_counter()
            products(search, batch)
            times.append((between - started, time.perf_counter() - between))
        (median, floor), (least, least_floor) = np.median(times, axis=0), np.min(times, axis=0)
        print(
            f"{n_drawn:6} {width:9} {n_clusters:9} {n_spaces:7} "
            f"{1e3 * median:9.1f} ({1e3 * least:5.1f}) {1e3 * floor:13.1f} "
            f"({1e3 * least_floor:5.1f}) {median / floor:9.2f}  ({least / least_floor:5.2f})",
            flush=True,
        )


def search_of(n_clusters, widths, n_drawn, random_state):
    parameters = SimpleNamespace(
        n_clusters=n_clusters, gamma=10.0, inner_steps=10, outer_learning_rate=1e-3,
        inner_learning_rate=1e-3, warm_start_inner=False, scale_features=False, dtype=np.float32,
    )  # fmt: skip
    return Search(parameters, widths, n_drawn, random_state)


def products(search, batch):
    """Forward: encoder, classifiers before each step and after the last. Backward: all steps."""
    for Z, weights, gradient in zip(batch, search.classifiers, search.gradients):
        for _ in range(search.parameters.inner_steps + 2):
            np.matmul(Z, weights.T, out=search.scratch)
        for _ in range(search.parameters.inner_steps + 1):
            np.matmul(search.scratch.T, Z, out=gradient)


def bench_memory_map(n_rows=1_000_000, width=384, n_clusters=100, n_steps=100):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        write_memory_map(path, n_rows, width, n_clusters)
        X = np.load(path, mmap_mode="r")
        print(
            f"\na memory map of {n_rows:,} x {width} float32 ({X.nbytes / 2**20:.0f} MiB), "
            f"K = {n_clusters}, batches of 10,000"
        )
        random_state = np.random.default_rng(0)
        search = search_of(n_clusters, [width], 10_000, random_state)
        space = Space(X)
        batches = batches_of([space], 10_000, random_state, np.float32)
        times = [time.perf_counter()]
        space.centre_and_scale()
        times.append(time.perf_counter())
        for _ in range(n_steps):
            search.step(next(batches))
        times.append(time.perf_counter())
        tracemalloc.start()
        TURTLE(n_clusters, max_iter=1, random_state=0).fit(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        times.append(time.perf_counter())
        scale, steps, fit = np.diff(times)
        print(
            f"  {scale:.1f} s for the scale, {steps:.1f} s for {n_steps} steps, {fit:.1f} s for a "
            f"fit of one step with labels and loss of all rows; {peak / 2**20:.0f} MiB"
        )


def write_memory_map(path, n_rows, width, n_clusters):
    """Rows around each centre in turn, written a part at a time."""
    random_state = np.random.default_rng(0)
    centres = random_state.standard_normal((n_clusters, width), dtype=np.float32)
    X = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, width))
    for start in range(0, n_rows, 20_000):
        noise = random_state.standard_normal((20_000, width), dtype=np.float32)
        X[start : start + 20_000] = noise + centres[np.arange(20_000) % n_clusters]


def bench_digits(n_seeds=5):
    X, y = load_digits(return_X_y=True)
    print(f"\ndigits, pixels as they are, mean of {n_seeds} seeds")
    for name, model in (
        ("KMeans()", KMeans(10)),
        ("KMeans(n_init=10)", KMeans(10, n_init=10)),
        ("TURTLE()", TURTLE(10)),
        ("TURTLE(inner_learning_rate=0.005)", TURTLE(10, inner_learning_rate=0.005)),
        ("TURTLE(scale_features=False)", TURTLE(10, scale_features=False)),
    ):
        print_quality(name, model, X, y, n_seeds)


def bench_features(path, n_seeds):
    """The embeddings as they are; paper_table.py standardises them."""
    data = np.load(path)
    X, y = data["X"].astype(np.float32), data["y"]
    n_clusters = len(np.unique(y))
    print(f"\n{path.name}, {X.shape[0]:,} x {X.shape[1]}, K = {n_clusters}, {n_seeds} seeds")
    model = TURTLE(n_clusters, max_iter=1500, batch_size=2000)
    unscaled = TURTLE(n_clusters, max_iter=1500, batch_size=2000, scale_features=False)
    print_quality("KMeans()", KMeans(n_clusters), X, y, n_seeds)
    print_quality("TURTLE()", model, X, y, n_seeds)
    print_quality("TURTLE(scale_features=False)", unscaled, X, y, n_seeds)


def print_quality(name, model, X, y, n_seeds):
    rows = []
    for seed in range(n_seeds):
        started = time.perf_counter()
        model.set_params(random_state=seed).fit(X)
        took = time.perf_counter() - started
        rows.append(
            (
                clustering_accuracy(y, model.labels_),
                normalized_mutual_info_score(y, model.labels_),
                adjusted_rand_score(y, model.labels_),
                took,
                model.n_iter_,
            )
        )
    accuracy, information, rand, took, n_iter = np.mean(rows, axis=0)
    each = " ".join(f"{row[0]:.3f}" for row in rows)
    print(
        f"  {name:42} accuracy {accuracy:.3f} ({each}), NMI {information:.3f}, ARI {rand:.3f}, "
        f"{n_iter:.0f} steps, {took:.1f} s each",
        flush=True,
    )


if __name__ == "__main__":
    main()
