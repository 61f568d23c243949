"""Time and memory of the affinity tree, beside a softmax of the same logits.

    python benchmarks/bench_affinity.py            # 50,000 x 1,000 and smaller, about 2 minutes
    python benchmarks/bench_affinity.py --large    # also a 5 GB memory map

Every time is the shortest of several runs with warm buffers, all in one process, with a softmax
before each; a ratio is to the shortest of these. "CPU" is the time that all threads together
compute, and "rows by" says what reads the rows: NumPy alone, or kernels that Numba compiles if it
is there. Memory is the peak of what is allocated beyond the input; "K x K" is how many arrays of
that shape in float64 it would be, if it were nothing else.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from bench_merge import (
    blocked_softmax,
    fastest,
    make_logits,
    make_sparse,
    measured,
    peak_memory,
    print_versions,
    reading_rows_by,
)
from scipy.special import softmax

from skl2h import affinity_tree, l2h_tree
from skl2h.logits.matrix import as_logits
from skl2h.merge.affinity import add_rows, average_linkage, likeness_of, temperature_of
from skl2h.merge.source import RowsInMemory


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also what takes 5 GB")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print_versions()
    bench_dense(arguments.repeats)
    bench_steps(arguments.repeats)
    bench_sparse()
    if arguments.large:
        bench_memory_map()


def bench_dense(repeats):
    print(
        "logits    rows  leaves dtype   rows by n_jobs       s  / softmax     CPU  / softmax"
        "   / L2H     MiB  K x K"
    )
    for kind in ("vectors", "planted"):
        for n_rows, n_leaves, dtype in (
            (10_000, 10, np.float64),
            (10_000, 150, np.float32),
            (50_000, 1_000, np.float32),
            (50_000, 1_000, np.float64),
        ):
            logits = make_logits(kind, n_rows, n_leaves, dtype)
            softmax(logits, axis=1)  # its memory has been touched once
            for kernels, n_jobs in reading_rows_by((1, 2)):
                of_softmax, ours, of_l2h = np.full((3, 2), np.inf)
                for _ in range(repeats):
                    for least, function, options in (
                        (of_softmax, softmax, {"axis": 1}),
                        (ours, affinity_tree, {"n_jobs": n_jobs}),
                        (of_l2h, l2h_tree, {"n_jobs": n_jobs}),
                    ):
                        np.minimum(least, measured(1, function, logits, **options)[1:], out=least)
                memory = peak_memory(affinity_tree, logits, n_jobs=n_jobs)
                print(
                    f"{kind:8} {n_rows:6} {n_leaves:6} {np.dtype(dtype).name:8} {kernels:6} "
                    f"{n_jobs:6} {ours[0]:7.3f} {ours[0] / of_softmax[0]:10.2f} "
                    f"{ours[1]:7.3f} {ours[1] / of_softmax[1]:10.2f} {ours[0] / of_l2h[0]:7.2f} "
                    f"{memory / 2**20:7.1f} {memory / 8 / n_leaves**2:6.1f}",
                    flush=True,
                )


def bench_steps(repeats):
    """Each step, and the exponential of float64 that nothing does without."""
    logits = make_logits("vectors", 50_000, 1_000)
    view, block = as_logits(logits), logits[:500].astype(np.float64)
    out = np.empty_like(block)
    print("\n50,000 x 1,000 float32, ns an entry of these")
    source = RowsInMemory(view, 2)
    sample, _ = source.sample()
    temperature, of_temperature = fastest(repeats, temperature_of, sample, None, 2)
    likeness = likeness_of(source.reassign(temperature).shares)
    _, of_exponential = fastest(10 * repeats, np.exp, -block, out)
    steps = [
        ("softmax", fastest(repeats, softmax, logits, axis=1)[1]),
        ("exponentials of float64, one worker", of_exponential * len(logits) / len(block)),
        ("temperature, n_jobs=2", of_temperature),
        *(
            (
                f"sums of the rows, rows by {kernels}, n_jobs={n_jobs}",
                fastest(repeats, add_rows, likeness.copy(), view, None, temperature, n_jobs)[1],
            )
            for kernels, n_jobs in reading_rows_by((1, 2))
        ),
        ("tree from likeness", fastest(repeats, lambda: average_linkage(likeness.copy()))[1]),
    ]
    for name, seconds in steps:
        print(f"  {name:40} {seconds / logits.size * 1e9:6.2f}")


def bench_sparse(n_rows=200_000, n_leaves=2_000, n_stored=16):
    logits = make_sparse(n_rows, n_leaves, n_stored)
    _, ours = fastest(2, affinity_tree, logits, n_jobs=2)
    memory = peak_memory(affinity_tree, logits, n_jobs=2)
    print(
        f"\nsparse, {n_rows:,} rows x {n_stored} entries, K = {n_leaves:,}: {ours:.1f} s, "
        f"{memory / 2**20:.0f} MiB, {memory / 8 / n_leaves**2:.1f} K x K"
    )


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
            _, ours = fastest(2, affinity_tree, mapped, n_jobs=2)
            memory = peak_memory(affinity_tree, mapped, n_jobs=2)
            print(
                f"\nmemory map, {n_rows:,} x {n_leaves:,} float32, rows by {kernels}, n_jobs=2: "
                f"{ours:.1f} s, {ours / of_softmax:.2f} times a blocked softmax, "
                f"{memory / 2**20:.0f} MiB"
            )


if __name__ == "__main__":
    main()
