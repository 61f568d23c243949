"""Time of bootstrap support and evidence, relative to one fit; or their results on real logits.

    python benchmarks/bench_support.py          # the time, about 3 minutes
    python benchmarks/bench_support.py clinc150_logits.npz

The aim is that 100 resamples take less than 100 fits with as many workers. A fit is the shortest
of several; the resamples run once. The two kinds of logits are those of bench_merge.py.

Of affinity trees, the aim is that 100 resamples take less than 20 passes. A pass reads the rows
once and adds up where they would go. Times are of the processor, with one worker: set
OPENBLAS_NUM_THREADS=1. "trees" is the time of as many trees, once the sums are there.

With a file, the support of the affinity tree, which holds the temperature fixed, is also compared
with that of the same resamples at a temperature of their own.

A file holds `logits` (n, K), the `names` of the K classes, the `domains`, and `domain_of`, the
number of the domain of each class. The support of its merges, the clade nearest to each domain, and
the merges that contradict the domains most are printed.
"""

import argparse
import time

import numpy as np
import pandas
from bench_merge import fastest, make_logits, peak_memory, print_versions

from skl2h import (
    L2HClustering,
    bootstrap_support,
    l2h_tree,
    merge_evidence,
    surprises,
)
from skl2h.datasets import make_hierarchical_logits
from skl2h.hierarchy.build import temperature_of_rows, tree_of_shares
from skl2h.logits.matrix import as_logits
from skl2h.merge.source import RowsInMemory


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", help="logits with names and domains; see above")
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print_versions()
    if arguments.path:
        report(arguments.path, arguments.resamples)
        with np.load(arguments.path) as data:
            bench_affinity(arguments, data["logits"])
    else:
        bench(arguments)
        bench_affinity(
            arguments,
            *(
                make_hierarchical_logits(n_rows, n_leaves, random_state=0)[0].astype(np.float32)
                for n_rows, n_leaves in ((7_500, 150), (20_000, 1_000), (50_000, 1_000))
            ),
        )


def bench(arguments):
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


def bench_affinity(arguments, *several):
    print(
        "\naffinity  rows  leaves  pass, s  support, s  / pass  trees / pass  evidence / pass   MiB"
    )
    for logits in several:
        time_affinity(logits, arguments)


def time_affinity(logits, arguments):
    """Print a line of times of the processor: a pass, support, trees and evidence."""
    model = L2HClustering("precomputed", method="affinity").fit(logits)
    source = RowsInMemory(as_logits(logits), 1)
    found, of_pass = shortest(arguments.repeats, lambda: source.reassign(1.0))
    _, of_tree = shortest(arguments.repeats, lambda: tree_of_shares(found.shares.copy()))
    _, of_evidence = shortest(2, lambda: merge_evidence(model, logits))
    keywords = {"random_state": 0, "n_jobs": 1}
    _, ours = shortest(
        2, lambda: bootstrap_support(model, logits, n_resamples=arguments.resamples, **keywords)
    )
    memory = peak_memory(
        bootstrap_support, model, logits, n_resamples=arguments.resamples, **keywords
    )
    print(
        f"{len(logits):14} {logits.shape[1]:7} {of_pass:8.3f} {ours:11.3f} {ours / of_pass:7.1f} "
        f"{arguments.resamples * of_tree / of_pass:13.1f} {of_evidence / of_pass:16.1f} "
        f"{memory / 2**20:5.0f}",
        flush=True,
    )


def shortest(repeats, function):
    """What a function gives, and the shortest time of the processor that it took."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return result, min(times)


def print_support(model, logits, n_resamples):
    """Support of the merges of a model, printed by their size."""
    tree = model.tree_
    support = bootstrap_support(
        model, logits, n_resamples=n_resamples, random_state=0, n_jobs=2
    ).support
    sizes = tree.sizes[tree.n_leaves :]
    print(
        f"support of the merges in {n_resamples} resamples of {len(logits)} rows, "
        f'method="{tree.method}"'
    )
    print("    leaves  merges   mean  >= 0.5  >= 0.95")
    for least, most in ((2, 2), (3, 5), (6, 15), (16, 149)):
        some = support[(sizes >= least) & (sizes <= most)]
        if not len(some):
            continue
        safe = f"{(some >= 0.5).mean():7.2f} {(some >= 0.95).mean():8.2f}"
        print(f"{least:5} to {most:3} {len(some):6} {some.mean():6.2f} {safe}")
    return support


def report_temperatures(logits, tree, n_resamples):
    """Support at the temperature of all rows, beside that at each resample's own."""
    rng = np.random.default_rng(0)
    source = RowsInMemory(as_logits(logits), 1)
    temperature = temperature_of_rows(source)
    fixed, own = np.zeros((2, n_resamples, tree.n_leaves - 1))
    temperatures = []
    for at in range(n_resamples):
        drawn = rng.integers(len(logits), size=len(logits))
        source.weigh(np.bincount(drawn, minlength=len(logits)))
        temperatures.append(temperature_of_rows(source))
        for found, t in ((fixed, temperature), (own, temperatures[-1])):
            others = set(clades(tree_of_shares(source.reassign(t).shares)))
            found[at] = [clade in others for clade in clades(tree)]
    half = n_resamples // 2
    by_chance = abs(fixed[:half].mean(axis=0) - fixed[half:].mean(axis=0)).mean()
    print(
        f"\nthe temperature is {temperature:.3f}, and of resamples {min(temperatures):.3f} to "
        f"{max(temperatures):.3f}\n"
        f"mean support {fixed.mean():.3f} at the first, {own.mean():.3f} at their own; mean "
        f"difference of a merge {abs(fixed.mean(axis=0) - own.mean(axis=0)).mean():.3f}, between "
        f"two halves of the resamples {by_chance:.3f}"
    )


def clades(tree):
    nodes = range(tree.n_leaves, tree.n_nodes)
    return [frozenset(tree.members(node).tolist()) for node in nodes]


def report(path, n_resamples):
    with np.load(path) as data:
        logits, names, domains = data["logits"], data["names"], data["domains"]
        domain_of = data["domain_of"]
    logits = pandas.DataFrame(logits, columns=names)  # names the leaves
    model = L2HClustering("precomputed").fit(logits)
    tree = model.tree_
    sizes = tree.sizes[tree.n_leaves :]
    support = print_support(model, logits, n_resamples)

    print("\nthe clade nearest to each domain: most leaves in common, of those in either")
    print("  domain               leaves  clade of  in common  support")
    below = np.zeros((len(sizes), tree.n_leaves), dtype=bool)
    for merge, node in enumerate(range(tree.n_leaves, tree.n_nodes)):
        below[merge, tree.members(node)] = True
    for number, domain in enumerate(domains):
        own = domain_of == number
        common = (below & own).sum(axis=1)
        best = (common / (below | own).sum(axis=1)).argmax()
        print(f"  {domain:20} {own.sum():6} {sizes[best]:9} {common[best]:10} {support[best]:8.2f}")

    evidence = merge_evidence(model, logits)
    found = surprises(tree, domains[domain_of], evidence=evidence)
    print(f"\n{len(found)} of {len(sizes)} merges contradict the domains; the strongest:")
    print("\n".join(found.lines()[:12]))
    print()
    model = L2HClustering("precomputed", method="affinity").fit(logits)
    print_support(model, logits, n_resamples)
    report_temperatures(np.asarray(logits), model.tree_, n_resamples)


if __name__ == "__main__":
    main()
