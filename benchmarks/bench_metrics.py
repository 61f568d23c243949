"""Every metric of five kinds of trees over the classes of a classifier.

    python benchmarks/bench_metrics.py clinc150_logits.npz

The file holds `logits` (n, K), the class `y` of each row, and `domain_of`, the superclass of each
class. The trees are: L2H; the affinity tree; average linkage of the soft confusions (mean
probabilities of each leaf's rows, in both directions); Ward linkage of the mean logits of each
leaf's rows; and random orders of merging, of which the mean and the standard deviation are shown.
"""

import sys
from time import perf_counter

import numpy as np
from bench_merge import print_versions
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix, issparse
from scipy.special import softmax
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from skl2h import MergeTree, affinity_tree, l2h_tree, metrics
from skl2h.logits.matrix import as_logits
from skl2h.merge.loop import leaf_profiles

N_RANDOM = 200


def main(path):
    print_versions()
    with np.load(path) as data:
        logits, y, domains = data["logits"].astype(float), data["y"], data["domain_of"]
    leaves, n_leaves = logits.argmax(axis=1), logits.shape[1]
    print(f"{len(y)} rows, {n_leaves} leaves, {len(set(domains))} superclasses")
    for name, figure in (
        ("clustering accuracy", metrics.clustering_accuracy(y, leaves)),
        ("leaf purity", metrics.leaf_purity(leaves, y)),
        ("NMI", normalized_mutual_info_score(y, leaves)),
        ("ARI", adjusted_rand_score(y, leaves)),
    ):
        print(f"{name:34}{figure:8.4f}  (of the leaves, whatever the tree)")

    profiles = leaf_profiles(as_logits(logits))
    confusions = means_of_leaves(softmax(logits, axis=1), leaves, n_leaves)
    l2h = l2h_tree(logits)
    figures = {
        "dendrogram purity": lambda tree: metrics.dendrogram_purity(tree, leaves, y),
        "dendrogram purity, adjusted": lambda tree: metrics.dendrogram_purity(
            tree, leaves, y, adjusted=True
        ),
        "mistake distance (less is better)": lambda tree: metrics.mistake_distance(tree, leaves, y),
        "superclass purity": lambda tree: metrics.superclass_purity(tree, domains),
        "superclass purity, adjusted": lambda tree: metrics.superclass_purity(
            tree, domains, adjusted=True
        ),
        "triplets of superclasses": lambda tree: metrics.triplet_accuracy(tree, domains),
        "correlation with superclasses": lambda tree: metrics.cophenetic_correlation(tree, domains),
        "clades shared with superclasses": lambda tree: metrics.shared_clades(tree, domains),
        "triplets of L2H": lambda tree: metrics.triplet_accuracy(tree, l2h),
        "correlation with L2H": lambda tree: metrics.cophenetic_correlation(tree, l2h),
        "clades shared with L2H": lambda tree: metrics.shared_clades(tree, l2h),
        "Dasgupta cost of profiles (less)": lambda tree: metrics.dasgupta_cost(tree, profiles),
        "Dasgupta cost of confusions (less)": lambda tree: metrics.dasgupta_cost(tree, confusions),
        **{
            f"reassignment within level {level}": lambda tree, level=level: (
                metrics.reassignment_within(tree, profiles, levels=level)
            )
            for level in (2, len(set(domains)), n_leaves // 3)
        },
    }
    rng = np.random.default_rng(0)
    trees = {
        "L2H": l2h,
        "affinity": affinity_tree(logits),
        "confusions": MergeTree.from_linkage(average_linkage(confusions)),
        "Ward": MergeTree.from_linkage(linkage(means_of_leaves(logits, leaves, n_leaves), "ward")),
    }
    drawn = [random_tree(n_leaves, rng) for _ in range(N_RANDOM)]
    heads = "".join(f"{name:>12}" for name in trees)
    print(f"\n{'':34}{heads}{'random':>18}{'ms':>9}")
    for name, figure in figures.items():
        start = perf_counter()
        values = "".join(f"{figure(tree):12.4f}" for tree in trees.values())
        time = (perf_counter() - start) / len(trees)
        random = [figure(tree) for tree in drawn]
        spread = f"{np.mean(random):9.4f} ± {np.std(random):.4f}"
        print(f"{name:34}{values}{spread:>18}{1000 * time:9.2f}", flush=True)


def means_of_leaves(values, leaves, n_leaves, weights=None):
    """Mean over the rows of each leaf of an array or a sparse matrix, 0 for a leaf without rows."""
    weights = np.ones(len(leaves)) if weights is None else weights
    by_leaf = csr_matrix((weights, (leaves, np.arange(len(leaves)))), (n_leaves, len(leaves)))
    sums = by_leaf @ values
    counts = by_leaf.sum(axis=1)
    return np.asarray(sums.toarray() if issparse(sums) else sums) / np.where(counts > 0, counts, 1)


def average_linkage(similarity):
    both = similarity + similarity.T
    return linkage((both.max() - both)[np.triu_indices(len(both), 1)], "average")


def random_tree(n_leaves, rng):
    alive, children = list(range(n_leaves)), []
    for node in range(n_leaves, 2 * n_leaves - 1):
        children.append([alive.pop(rng.integers(len(alive))) for _ in range(2)])
        alive.append(node)
    return MergeTree(children)


if __name__ == "__main__":
    main(*sys.argv[1:])
