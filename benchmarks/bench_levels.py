"""Which levels are suggested, and how deep rows can be placed safely.

    python benchmarks/bench_levels.py [clinc150_logits.npz] [cifar10_probabilities.npz]

First, levels are planted in random logits. Among the seeds where the planted groups are a level of
the tree, it counts how many find that level, by `suggest_levels` and by the tree's scores alone.

Then it prints the levels of models of the digits that ship with scikit-learn, and of each file. A
file holds `logits` or `probabilities`, the class `y` of each row, and perhaps `domain_of`, the
superclass of each class. If it has superclasses, the tree is made from half of the rows, drawn at
random, and `predict_node` is shown for the others.
"""

import sys
from time import perf_counter

import numpy as np
from bench_merge import print_versions
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl2h import L2HClustering, MergeTree, l2h_tree, suggest_levels

N_SEEDS = 50
SIZES = {
    "2 x 5": [5] * 2,
    "8 x 5": [5] * 8,
    "10 x 15": [15] * 10,
    "3 4 5 6 8": [3, 4, 5, 6, 8],
    "2 3 6 12 20": [2, 3, 6, 12, 20],
}
LOSSES = ((2, 4), (6, 12), (2, 3))
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
STEPS = (1, 2, 6, 16)  # smallest number of leaves in each column


def main(*paths):
    print_versions()
    show_planted()
    print(f"\n{'':34}{'K':>5}{'levels, best first':>24}   gains, nats a row")
    show_digits()
    loaded = [load(path) for path in paths]
    for name, logits, _, _ in loaded:
        show_levels(name, l2h_tree(logits), logits)
    for name, logits, y, domains in loaded:
        if domains is not None:
            show_superclasses(name, l2h_tree(logits), logits, domains)
            show_depth(name, logits, y, domains)


def load(path):
    with np.load(path) as data:
        if "logits" in data:
            logits = data["logits"].astype(float)
        else:
            with np.errstate(divide="ignore"):
                logits = np.log(data["probabilities"].astype(float))
        return path.rsplit("/", 1)[-1], logits, data["y"], data.get("domain_of")


def show_planted():
    print(f"seeds of {N_SEEDS} that find the planted level; noise 1, nearness of pairs varies")
    heads = ("in/across", "shares", "separable", "found", "%", "by scores", "by doubts")
    print(f"{'groups':14}" + "".join(f"{head:>11}" for head in heads))
    for name, sizes in SIZES.items():
        for inside, across in LOSSES:
            for uneven in (False, True):
                counts = np.zeros(4, dtype=int)
                for seed in range(N_SEEDS):
                    logits, groups = plant(sizes, seed, inside, across, uneven)
                    tree = l2h_tree(logits)
                    if adjusted_rand_score(tree.cut(len(sizes)), groups) < 1:
                        continue
                    levels = (
                        suggest_levels(tree, logits, n_levels=1)[0][0],
                        largest_gap(tree.scores),
                        largest_gap(tree.sizes[tree.children[:, 0]] - tree.scores),
                    )
                    counts += [1, *(level == len(sizes) for level in levels)]
                separable, found, by_scores, by_doubts = counts.tolist()
                share = f"{100 * found / separable:.0f}" if separable else "-"
                shares = "uneven" if uneven else "even"
                cells = (f"{inside}/{across}", shares, separable, found, share)
                cells += (by_scores, by_doubts)
                print(f"{name:14}" + "".join(f"{cell:>11}" for cell in cells), flush=True)


def plant(sizes, seed, inside, across, uneven):
    """Logits that fall by about `inside` within groups, and by about `across` between them."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    n_leaves, n_rows = len(groups), 60 * len(groups)
    shares = rng.dirichlet(np.full(n_leaves, 2.0)) if uneven else np.full(n_leaves, 1 / n_leaves)
    shares = np.maximum(shares, 5 / n_rows)
    loss = np.where(groups[:, np.newaxis] == groups, inside, across).astype(float)
    of_pairs = rng.normal(0, 0.3 * (across - inside), loss.shape)
    loss += (of_pairs + of_pairs.T) / 2
    np.fill_diagonal(loss, 0.0)
    own = rng.choice(n_leaves, n_rows, p=shares / shares.sum())
    return rng.standard_normal((n_rows, n_leaves)) - loss[own], groups


def largest_gap(values):
    """Level before the merge with the largest ratio of its value to that of the merge before."""
    with np.errstate(all="ignore"):
        ratios = np.nan_to_num(np.diff(np.log(values)))
    return len(values) - int(ratios.argmax())


def show_digits():
    X, y = load_digits(return_X_y=True)
    models = {
        "LogisticRegression(C=0.01)": LogisticRegression(C=0.01, max_iter=1000),
        "LogisticRegression(C=1)": LogisticRegression(max_iter=1000),
        "GaussianMixture(20)": GaussianMixture(20, reg_covar=1e-2, random_state=0),
        "KMeans(20)": KMeans(20, n_init=1, random_state=0),
    }
    for name, model in models.items():
        model = L2HClustering(make_pipeline(MinMaxScaler(), model), n_clusters="auto").fit(X, y)
        print_levels(f"digits, {name}", model.n_leaves_, *suggest_levels(model))
        if model.n_leaves_ > 10:
            labels = model.cut(range(1, model.n_leaves_ + 1)).T
            print_agreement([adjusted_rand_score(y, cut) for cut in labels], [model.n_clusters_])


def show_levels(name, tree, logits):
    start = perf_counter()
    levels, gains = suggest_levels(tree, logits)
    time = perf_counter() - start
    print_levels(name, tree.n_leaves, levels, gains)
    rng = np.random.default_rng(0)
    chance = [suggest_levels(random_tree(tree, rng), logits, n_levels=1)[1][0] for _ in range(20)]
    print(f"{'  random orders of merging':34}{'':29}   {np.mean(chance):.3f} (first, mean of 20)")
    start = perf_counter()
    softmax(logits, axis=1)
    print(f"  took {time / (perf_counter() - start):.1f} times a softmax")


def print_levels(name, n_leaves, levels, gains):
    listed = " ".join(map(str, levels))
    told = " ".join(f"{gain:.3f}" for gain in gains)
    print(f"{name:34}{n_leaves:5}{listed:>24}   {told}", flush=True)


def random_tree(tree, rng):
    alive, children = list(range(tree.n_leaves)), []
    for node in range(tree.n_leaves, tree.n_nodes):
        children.append([alive.pop(rng.integers(len(alive))) for _ in range(2)])
        alive.append(node)
    return MergeTree(children)


def show_superclasses(name, tree, logits, domains):
    agreement = [adjusted_rand_score(domains, tree.cut(k)) for k in range(1, tree.n_leaves + 1)]
    print(f"\n{name}: the groups of a level beside {len(set(domains))} superclasses")
    print_agreement(agreement, suggest_levels(tree, logits, n_levels=3)[0].tolist())


def print_agreement(agreement, levels):
    best = int(np.argmax(agreement)) + 1
    told = [f"{agreement[level - 1]:.3f} at level {level}" for level in levels]
    told.append(f"{agreement[best - 1]:.3f} at {best}, the best of all")
    print(f"  adjusted Rand index {', '.join(told)}")


def show_depth(name, logits, y, domains):
    rows = np.random.default_rng(0).permutation(len(y))
    fitted, held_out = rows[: len(y) // 2], rows[len(y) // 2 :]
    model = L2HClustering("precomputed").fit(logits[fitted])
    tree, y = model.tree_, y[held_out]
    flat = model.predict(logits[held_out]) == y
    print(f"\n{name}: predict_node of {len(y)} rows; accuracy of the leaves {flat.mean():.3f}")
    ends = [*STEPS[1:], tree.n_leaves]
    spans = [f"{a}" if a == b - 1 else f"{a}-{b - 1}" for a, b in zip(STEPS, ends)]
    heads = "".join(f"{span:>9}" for span in [*spans, "all"])
    print(f"{'min_':>12}{'':>10}{'share of rows at a node of ... leaves':>45}{'accuracy':>12}")
    print(f"{'confidence':>12}{'accuracy':>10}{heads}{'at leaves':>12}")
    for confidence in THRESHOLDS:
        nodes = model.predict_node(logits[held_out], min_confidence=confidence)
        right = tree.lca(nodes, y) == nodes
        assert (right >= flat).all()
        step = np.searchsorted([*STEPS, tree.n_leaves], tree.sizes[nodes], side="right") - 1
        shares = np.bincount(step, minlength=len(STEPS) + 1) / len(y)
        at_leaves = right[nodes < tree.n_leaves].mean()
        cells = "".join(f"{share:9.3f}" for share in shares)
        print(f"{confidence:12}{right.mean():10.3f}{cells}{at_leaves:12.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
