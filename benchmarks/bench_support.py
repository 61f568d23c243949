"""Time of bootstrap support and of evidence, beside one fit of the same logits.

    python benchmarks/bench_support.py          # about 3 minutes

The aim is that 100 resamples take less than 100 fits with as many workers. A fit is the shortest
of several; the resamples run once. The two kinds of logits are those of bench_merge.py.
"""

import argparse

import numpy as np
from bench_merge import fastest, make_logits, peak_memory, print_versions

from skl2h import L2HClustering, bootstrap_support, l2h_tree, merge_evidence


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print_versions()
    print("logits    rows  leaves n_jobs   fit, s  resample, s  / fit  mean support   MiB")
    for kind in ("vectors", "planted"):
        logits = make_logits(kind, 50_000, 1_000, np.float32)
        model = L2HClustering("precomputed").fit(logits)
        for n_jobs in (1, 2):
            _, of_fit = fastest(arguments.repeats, l2h_tree, logits, n_jobs=n_jobs)
            keywords = {"random_state": 0, "n_jobs": n_jobs}
            tree, ours = fastest(
                1, bootstrap_support, model, logits, n_resamples=arguments.resamples, **keywords
            )
            ours /= arguments.resamples
            memory = peak_memory(bootstrap_support, model, logits, n_resamples=4, **keywords)
            print(
                f"{kind:8} {len(logits):6} {tree.n_leaves:6} {n_jobs:6} {of_fit:8.3f} "
                f"{ours:12.3f} {ours / of_fit:6.2f} {tree.support.mean():13.3f} "
                f"{memory / 2**20:5.0f}",
                flush=True,
            )
        _, of_fit = fastest(arguments.repeats, l2h_tree, logits)
        _, ours = fastest(arguments.repeats, merge_evidence, model, logits)
        print(f"{kind:8} evidence of all merges: {ours:.3f} s, {ours / of_fit:.2f} fits\n")


if __name__ == "__main__":
    main()
