"""How the time and memory of a tree grow with the rows and with the leaves.

    python benchmarks/bench_growth.py

The exponent is the slope of a line fitted to the logarithms; 1 means proportional growth.
"""

import numpy as np
from bench_merge import fastest, make_logits, peak_memory, print_versions

from skl2h.logits.matrix import as_logits
from skl2h.merge.loop import merge_leaves


def main():
    print_versions()
    grow("rows", [(n_rows, 250) for n_rows in (10_000, 25_000, 63_000, 160_000, 400_000)])
    grow("leaves", [(20_000, n_leaves) for n_leaves in (125, 250, 500, 1_000, 2_000)])


def grow(what, shapes):
    sizes, times, memories = [], [], []
    print(f"{'rows':>7} {'leaves':>6} {'s':>7} {'MiB':>6}")
    for n_rows, n_leaves in shapes:
        logits = as_logits(make_logits("vectors", n_rows, n_leaves))
        times.append(fastest(3, merge_leaves, logits)[1])
        memories.append(peak_memory(merge_leaves, logits))
        sizes.append(n_rows if what == "rows" else n_leaves)
        print(f"{n_rows:7} {n_leaves:6} {times[-1]:7.3f} {memories[-1] / 2**20:6.1f}", flush=True)
    for name, values in (("time", times), ("memory", memories)):
        slope = np.polyfit(np.log(sizes), np.log(values), 1)[0]
        print(f"exponent of {name} in {what}: {slope:.2f}")


if __name__ == "__main__":
    main()
