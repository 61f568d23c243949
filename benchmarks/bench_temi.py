"""TEMI: its steps compared with their matrix products, and a memory map that is read in parts.

    python benchmarks/bench_temi.py

Times are medians and minima, in one process. Each step is timed next to its products, so that both
run under the same load. Memory is the peak that is allocated beyond the features. paper_table.py
shows how good its clusters are.
"""

import argparse
import tempfile
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from bench_merge import print_versions
from bench_turtle import write_memory_map

from skl2h import TEMI
from skl2h.flat.feature_spaces import Space
from skl2h.flat.temi_heads import Head, learn


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["steps", "map"])
    arguments = parser.parse_args()
    print_versions()
    for name, bench in {"steps": bench_steps, "map": bench_memory_map}.items():
        if arguments.only in (None, name):
            bench()


def bench_steps():
    print("\na step of one head, beside its matrix products alone; layers of 512 and 256")
    print("  pairs  features  clusters   step ms (least)   products ms (least)   ratio (least)")
    for n_pairs, width, n_clusters in (
        (256, 384, 150),
        (256, 768, 100),
        (1_024, 384, 150),
        (256, 64, 10),
    ):
        random_state = np.random.default_rng(0)
        space = Space(random_state.standard_normal((20_000, width), dtype=np.float32))
        head = Head((width, 512, 256), n_clusters, random_state, np.float32)
        Z = np.ones((2 * n_pairs, width + 1), np.float32)
        parameters = SimpleNamespace(
            beta=0.6, temperature=0.1, weight_decay=1e-4, prior_momentum=0.9
        )
        times = []
        for _ in range(60):
            started = time.perf_counter()
            space.read(random_state.choice(20_000, 2 * n_pairs, replace=False), Z)
            learn([head], Z, parameters, 1e-3, 0.99)
            took = time.perf_counter() - started
            _, trace = head.student.trace(Z)
            started = time.perf_counter()
            products(head.student, Z, trace)
            times.append((took, time.perf_counter() - started))
        (median, floor), (least, least_floor) = np.median(times, axis=0), np.min(times, axis=0)
        print(
            f"{n_pairs:7} {width:9} {n_clusters:9} {1e3 * median:9.1f} ({1e3 * least:5.1f}) "
            f"{1e3 * floor:13.1f} ({1e3 * least_floor:5.1f}) {median / floor:11.2f}  "
            f"({least / least_floor:4.2f})",
            flush=True,
        )


def products(network, Z, trace):
    """Forward passes of teacher and student, and backward to all weights and all inputs but Z."""
    inputs, _, _, units, prototypes = trace
    for _ in range(2):
        for values, weights in zip(inputs, network.layers):
            np.matmul(values, weights.T)
        slopes = np.matmul(units, prototypes.T)
    np.matmul(slopes.T, units)
    slopes = np.matmul(slopes, prototypes)
    for values, weights in zip(inputs[::-1], network.layers[::-1]):
        np.matmul(slopes.T, values)
        if values is not Z:
            slopes = np.matmul(slopes, weights[:, :-1])


def bench_memory_map(n_rows=1_000_000, width=384, n_clusters=100, n_steps=100):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        write_memory_map(path, n_rows, width, n_clusters)
        X = np.load(path, mmap_mode="r")
        print(
            f"\na memory map of {n_rows:,} x {width} float32 ({X.nbytes / 2**20:.0f} MiB), "
            f"K = {n_clusters}, {n_steps} steps of 64 pairs, 4 heads"
        )
        started = time.perf_counter()
        tracemalloc.start()
        TEMI(n_clusters, max_iter=n_steps, batch_size=64, random_state=0).fit(X)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"  {time.perf_counter() - started:.0f} s for a fit, most of it for the neighbours of "
            f"the rows that are drawn; {peak / 2**20:.0f} MiB"
        )


if __name__ == "__main__":
    main()
