"""Time of bootstrap support and evidence, relative to one fit; or their results on real logits.

    python benchmarks/bench_support.py          # the time, about 3 minutes
    python benchmarks/bench_support.py clinc150_logits.npz

The aim is that 100 resamples take less than 100 fits with as many workers. A fit is the shortest
of several; the resamples run once. The two kinds of logits are those of bench_merge.py.

A file holds `logits` (n, K), the `names` of the K classes, the `domains`, and `domain_of`, the
number of the domain of each class. The support of its merges, the clade nearest to each domain, and
the merges that contradict the domains most are printed.
"""

import argparse

import numpy as np
import pandas
from bench_merge import fastest, make_logits, peak_memory, print_versions

from skl2h import L2HClustering, bootstrap_support, l2h_tree, merge_evidence, surprises


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", nargs="?", help="logits with names and domains; see above")
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print_versions()
    if arguments.path:
        report(arguments.path, arguments.resamples)
    else:
        bench(arguments)


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


def report(path, n_resamples):
    with np.load(path) as data:
        logits, names, domains = data["logits"], data["names"], data["domains"]
        domain_of = data["domain_of"]
    logits = pandas.DataFrame(logits, columns=names)  # names the leaves
    model = L2HClustering("precomputed").fit(logits)
    tree = model.tree_
    support = bootstrap_support(
        model, logits, n_resamples=n_resamples, random_state=0, n_jobs=2
    ).support
    sizes = tree.sizes[tree.n_leaves :]
    print(f"support of the merges in {n_resamples} resamples of {len(logits)} rows")
    print("    leaves  merges   mean  >= 0.5  >= 0.95")
    for least, most in ((2, 2), (3, 5), (6, 15), (16, 149)):
        some = support[(sizes >= least) & (sizes <= most)]
        if not len(some):
            continue
        safe = f"{(some >= 0.5).mean():7.2f} {(some >= 0.95).mean():8.2f}"
        print(f"{least:5} to {most:3} {len(some):6} {some.mean():6.2f} {safe}")

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


if __name__ == "__main__":
    main()
