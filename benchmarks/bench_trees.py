"""How true trees are: two kinds of ours, two linkages and random trees, of many logits.

    python benchmarks/bench_trees.py FOLDER              # the table, about 3 minutes
    python benchmarks/bench_trees.py FOLDER --ablation   # the affinity tree without some steps

FOLDER holds the files below; a file that is not there is left out.

clinc150_logits.npz         `logits` (n, K) of a classifier; `domain_of`, the domain of each class
clinc150_features.npz       `X`, the class `y`, `domain_of`, and the `split` of each row.
                            Classifiers are trained on "train", and their logits are those of all
                            other rows; KMeans reads all rows
cifar10_probabilities.npz   `probabilities` (n, 10); `names` of the classes
imagenet_votes.npz          `data`, `indices`, `indptr` and `shape` of shares of votes (n, K),
                            sparse; `kingdom` and `bird` of each class, and `wordnet_path`, its
                            line of ancestors from the root down

The linkages are those of bench_metrics.py. Where some logits are -inf, Ward linkage takes mean
probabilities instead of mean logits. In every line 0 is what random trees give on average, and 1
the best. "support" is the mean share of resamples of the rows whose trees have a clade as well.
"""

import argparse
from pathlib import Path
from typing import NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np
from bench_merge import print_versions
from bench_metrics import average_linkage, means_of_leaves, random_tree
from paper_table import most_frequent
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix, issparse
from scipy.spatial.distance import pdist, squareform
from scipy.special import softmax
from sklearn.cluster import KMeans
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.neural_network import MLPClassifier

from skl2h import MergeTree, affinity_tree, l2h_tree, metrics
from skl2h.exceptions import StrandedGroupWarning
from skl2h.logits.matrix import as_logits
from skl2h.merge.affinity import temperature_of
from skl2h.merge.source import RowsInMemory

N_RANDOM = 20

CLASSIFIERS = {
    "linear SVM": SGDClassifier(random_state=0),
    "ridge": RidgeClassifier(),
    "LDA": LinearDiscriminantAnalysis(),
    "nearest centroid": NearestCentroid(),
    "naive Bayes": GaussianNB(),
    "20 neighbours": KNeighborsClassifier(20),
    "perceptron": MLPClassifier(early_stopping=True, n_iter_no_change=3, random_state=0),
}

METHODS = ("L2H", "affinity", "confusions", "Ward")

# The steps of the affinity tree that can be left out; one more at a time, and all but one.
STEPS = ("first order", "temperature", "lift", "logarithm", "second order")
WHOLE = "and second order: all"
VARIANTS = {
    "first order alone": STEPS[:1],
    "and temperature": STEPS[:2],
    "and lift": STEPS[:3],
    "and logarithm": STEPS[:4],
    WHOLE: STEPS,
    **{f"all but {step}": tuple(other for other in STEPS if other != step) for step in STEPS[:4]},
}


class Logits(NamedTuple):
    """Scores of rows, and what is known of their leaves.

    Attributes
    ----------
    data, model : str
    scores : array or sparse matrix of shape (n, K)
    input : {"logits", "probabilities"}
    figures : dict of {str: function}
        A figure of a tree over the K leaves, 0 for a random one and 1 for the best.
    """

    data: str
    model: str
    scores: np.ndarray | csr_matrix
    input: str
    figures: dict

    @property
    def probabilities(self):
        return self.scores if self.input == "probabilities" else softmax(self.scores, axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the files are; see above")
    parser.add_argument("--ablation", action="store_true", help="the affinity tree step by step")
    parser.add_argument("--resamples", type=int, default=10, help="0 for no support")
    arguments = parser.parse_args()
    print_versions()
    # A list, as one that is made twice would be fitted twice.
    everything = list(logits_in(arguments.folder))
    if not everything:
        parser.error(f"there is none of the files in {arguments.folder}")
    if arguments.ablation:
        print_ablation(everything)
    else:
        print_trees(everything, arguments.resamples)


def logits_in(folder):
    for name, read in (
        ("clinc150_logits.npz", clinc150_logits),
        ("clinc150_features.npz", clinc150_models),
        ("cifar10_probabilities.npz", cifar10),
        ("imagenet_votes.npz", imagenet),
    ):
        if (folder / name).exists():
            with np.load(folder / name) as data:
                yield from read(data)


def clinc150_logits(data):
    figures = figures_of(data["domain_of"])
    yield Logits("CLINC150", "logistic regression", data["logits"], "logits", figures)


def clinc150_models(data):
    X, y, domain_of = data["X"].astype(np.float32), data["y"], data["domain_of"]
    is_train = data["split"] == "train"
    for name, model in CLASSIFIERS.items():
        model.fit(X[is_train], y[is_train])
        scores, kind = scores_of(model, X[~is_train])
        yield Logits("CLINC150", name, scores, kind, figures_of(domain_of))
    for n_clusters in (80, 150, 300):
        model = KMeans(n_clusters, random_state=0).fit(X)
        squares = np.square(model.transform(X))
        scores = -squares / (2 * squares.min(axis=1).mean())
        figures = figures_of(most_frequent(model.labels_, domain_of[y], n_clusters))
        yield Logits("CLINC150", f"k-means, {n_clusters}", scores, "logits", figures)


def scores_of(model, X):
    """What a classifier says of rows, and what kind of numbers that is."""
    if hasattr(model, "decision_function"):
        return model.decision_function(X), "logits"
    if isinstance(model, GaussianNB):  # its probabilities underflow
        return model.predict_log_proba(X), "logits"
    return model.predict_proba(X), "probabilities"


def cifar10(data):
    vehicles = ("airplane", "automobile", "ship", "truck")
    figures = figures_of(np.isin(data["names"], vehicles))
    yield Logits("CIFAR-10", "a network", data["probabilities"], "probabilities", figures)


def imagenet(data):
    votes = csr_matrix((data["data"], data["indices"], data["indptr"]), data["shape"])
    birds, paths = data["bird"], nested_columns(data["wordnet_path"])
    alone = np.where(birds, "bird", np.arange(len(birds)).astype(str))
    figures = {
        "purity of kingdoms": purity_of(data["kingdom"]),
        "purity of birds and others": purity_of(birds),
        "purity of birds": purity_of(alone),
        "triplets of WordNet": triplets_of(paths),
    }
    yield Logits("ImageNet", "votes of people", votes, "probabilities", figures)


def figures_of(superclasses):
    return {"purity": purity_of(superclasses), "triplets": triplets_of(superclasses)}


def purity_of(superclasses):
    return lambda tree: metrics.superclass_purity(tree, superclasses, adjusted=True)


def triplets_of(reference):
    """Of three leaves a random tree joins the right two in one of three cases."""
    return lambda tree: (metrics.triplet_accuracy(tree, reference) - 1 / 3) / (2 / 3)


def nested_columns(paths):
    """Groups of leaves at each depth, as columns: whoever shares all ancestors down to it."""
    return np.array([["/".join(path[: depth + 1]) for depth in range(len(path))] for path in paths])


def print_trees(everything, n_resamples):
    lines = []
    for logits in everything:
        build = builder_of(logits)
        trees = {method: build(method) for method in METHODS}
        rng = np.random.default_rng(0)
        n_rows, n_leaves = logits.scores.shape
        drawn = [random_tree(n_leaves, rng) for _ in range(N_RANDOM)]
        for name, figure in logits.figures.items():
            values = [figure(tree) for tree in trees.values()]
            values.append(np.mean([figure(tree) for tree in drawn]))
            lines.append((name, logits.data, logits.model, values))
        if n_resamples:
            draws = rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=n_resamples)
            with catch_warnings():  # of groups that no row of a resample can leave
                simplefilter("ignore", StrandedGroupWarning)
                values = [
                    np.mean([metrics.shared_clades(build(method, draw), tree) for draw in draws])
                    for method, tree in trees.items()
                ]
            values.append(np.mean([metrics.shared_clades(drawn[0], tree) for tree in drawn[1:]]))
            lines.append(("support", logits.data, logits.model, values))
    lines = [(name, logits, *as_texts(values)) for name, logits, values in with_means(lines)]
    print_table([("figure", "logits", *METHODS, "random")], lines)


def builder_of(logits):
    """Function that makes the tree of a method, of rows with weights."""
    scores, p = logits.scores, logits.probabilities
    leaves, n_leaves = np.asarray(scores.argmax(axis=1)).ravel(), scores.shape[1]
    for_ward = p
    if not issparse(p) and (logits.input == "logits" or p.all()):
        for_ward = scores if logits.input == "logits" else np.log(p.astype(np.float64))

    def build(method, weights=None):
        if method in ("L2H", "affinity"):
            tree_of = l2h_tree if method == "L2H" else affinity_tree
            return tree_of(scores, sample_weight=weights, input=logits.input, n_jobs=2)
        if method == "confusions":
            merges = average_linkage(means_of_leaves(p, leaves, n_leaves, weights))
        else:
            merges = linkage(means_of_leaves(for_ward, leaves, n_leaves, weights), "ward")
        return MergeTree.from_linkage(merges)

    return build


def print_ablation(everything):
    lines = []
    for logits in everything:
        trees = {name: tree_by_steps(logits, steps) for name, steps in VARIANTS.items()}
        ours = affinity_tree(logits.scores, input=logits.input)
        np.testing.assert_allclose(trees[WHOLE].scores, ours.scores, rtol=1e-7)
        for name, figure in logits.figures.items():
            lines.append((name, logits.data, logits.model, list(map(figure, trees.values()))))
    # Of several models the last line, their mean, is the one that stays.
    columns = {
        (data.split(",")[0], name): as_texts(values) for name, data, values in with_means(lines)
    }
    of_data, names = zip(*columns)
    steps = zip(VARIANTS, *columns.values())
    print_table([("steps", *of_data), ("", *names)], list(steps))


def tree_by_steps(logits, steps):
    """The affinity tree with some of its steps alone, evaluated plainly."""
    rows = RowsInMemory(as_logits(logits.scores, logits.input))
    temperature = temperature_of(*rows.sample()) if "temperature" in steps else 1.0
    R = rows.reassign(temperature).shares
    n_leaves = len(R)
    pi = R.mean(axis=0) if "lift" in steps else np.full(n_leaves, 1 / n_leaves)
    S = np.divide(R, pi, out=np.zeros_like(R), where=pi > 0)
    S = (S + S.T) / 2
    L = np.log1p(S) if "logarithm" in steps else S
    distances = np.zeros(n_leaves * (n_leaves - 1) // 2)
    if "first order" in steps:
        first = squareform(L.max() - L, checks=False)
        distances += first / first.std()
    if "second order" in steps:
        second = pdist(lines_of_unit_length(L))
        distances += second / second.std()
    return MergeTree.from_linkage(linkage(distances, "average"))


def lines_of_unit_length(L):
    diagonal = np.eye(len(L), dtype=bool)
    C = np.where(diagonal, 0, L - L.sum(axis=1, keepdims=True) / (len(L) - 1))
    C = C - C.sum(axis=0) / (len(L) - 1)
    C[diagonal] = np.where(diagonal, -np.inf, C).max(axis=1)
    return C / np.linalg.norm(C, axis=1, keepdims=True)


def with_means(lines):
    """Lines (figure, data, model, values) by figure, with means over the models of some data."""
    by_figure = {}
    for figure, data, model, values in lines:
        by_figure.setdefault(figure, {}).setdefault(data, {})[model] = values
    for figure, by_data in by_figure.items():
        for data, by_model in by_data.items():
            yield from ((figure, f"{data}, {model}", values) for model, values in by_model.items())
            if len(by_model) > 1:
                name = f"{data}, mean of {len(by_model)}"
                yield figure, name, np.mean(list(by_model.values()), axis=0)


def as_texts(values):
    """Figures to two digits, the best of them bold."""
    texts = [f"{value:.2f}".replace("-0.00", "0.00") for value in values]
    best = max(texts, key=float)
    return [f"**{text}**" if text == best else text for text in texts]


def print_table(heads, lines):
    """A table in reStructuredText; a head may have several lines."""
    widths = [max(map(len, column)) for column in zip(*heads, *lines)]
    rule = "  ".join("=" * width for width in widths)
    for part in (heads, lines):
        print(rule)
        for line in part:
            print("  ".join(map(str.ljust, line, widths)).rstrip())
    print(rule)


if __name__ == "__main__":
    main()
