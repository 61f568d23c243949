"""Time of a tree, beside a softmax of the same logits and a plain evaluation of the algorithm.

    python benchmarks/bench_merge.py [--repeats 3]

Every figure is the fastest of some repeats, all in one process.
"""

import argparse
import os
import time

import numpy as np
import scipy
import sklearn
from scipy.special import softmax

from skl2h.datasets import make_hierarchical_logits
from skl2h.logits import Logits
from skl2h.merge import merge_leaves

CASES = [  # rows, leaves, dtype, workers
    (10_000, 10, np.float64, 1),
    (10_000, 250, np.float32, 1),
    (50_000, 1_000, np.float32, 1),
    (50_000, 1_000, np.float32, 2),
    (50_000, 1_000, np.float64, 2),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print(
        f"{os.cpu_count()} cores, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"scikit-learn {sklearn.__version__}"
    )
    print(f"{'rows':>7} {'leaves':>6} {'dtype':>8} {'n_jobs':>6} {'passes':>6} {'s':>7} ", end="")
    print(f"{'/ softmax':>9} {'plain / it':>10}")
    for n_rows, n_leaves, dtype, n_jobs in CASES:
        logits = make_hierarchical_logits(
            n_rows, n_leaves, separation=1.5, noise=1.5, random_state=0
        )[0].astype(dtype)
        merges, ours = fastest(repeats, merge_leaves, Logits(logits), n_jobs=n_jobs)
        _, of_softmax = fastest(repeats, softmax, logits, axis=1)
        children, plain = fastest(1, plain_merges, logits)
        assert np.array_equal(children, merges.children)
        print(
            f"{n_rows:7} {n_leaves:6} {np.dtype(dtype).name:>8} {n_jobs:6} {merges.n_passes:6} "
            f"{ours:7.2f} {ours / of_softmax:9.2f} {plain / ours:10.1f}",
            flush=True,
        )


def fastest(repeats, function, *arguments, **keywords):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function(*arguments, **keywords)
        times.append(time.perf_counter() - start)
    return result, min(times)


def plain_merges(logits):
    """Children as the definition gives them: one merge, one softmax of the selected rows."""
    logits = logits.astype(np.float64)
    n_leaves = logits.shape[1]
    h = logits.argmax(axis=1)
    doubt = [1 - softmax(logits[h == leaf], axis=1)[:, leaf].mean() for leaf in range(n_leaves)]
    groups = {leaf: ([leaf], 1 - doubt[leaf]) for leaf in range(n_leaves)}
    children = []
    while len(groups) > 1:
        selected = min(groups, key=lambda node: groups[node][1])
        inside, score = groups.pop(selected)
        rows = logits[np.isin(h, inside)]
        rows[:, inside] = -np.inf
        rows = softmax(rows, axis=1)
        profile = np.bincount(rows.argmax(axis=1), weights=rows.max(axis=1), minlength=n_leaves)
        partner = max(groups, key=lambda node: profile[groups[node][0]].mean())
        others, other_score = groups.pop(partner)
        groups[n_leaves + len(children)] = (inside + others, score + other_score)
        children.append((selected, partner))
    return np.array(children)


if __name__ == "__main__":
    main()
