"""A table as in the paper, for any features: flat models, and the trees that are read from them.

    python benchmarks/paper_table.py                                         # digits
    python benchmarks/paper_table.py FILE --superclasses NAME                # embeddings
    python benchmarks/paper_table.py FILE --models KMeans L2H-KMeans --rows 2000 --seeds 2

FILE is an .npz with features X and the class y of each row. NAME is an array in it, with the
superclass of each class, or of each row. All models get the same features and as many clusters
as there are classes. Each row of the table is printed as soon as it is ready: means over the seeds,
and below them the standard deviations. Times include the fit and the tree.
"""

import argparse
from ast import literal_eval
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from bench_merge import print_versions
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

import skl2h
from skl2h import L2HClustering, MergeTree, metrics

MODELS = (
    "KMeans",
    "GaussianMixture",
    "AgglomerativeClustering",
    "HDBSCAN",
    "L2H-KMeans",
    "L2H-TURTLE",
    "L2H-TEMI",
)

# These models compute all pairs of rows, and take no seed.
OF_PAIRS = ("AgglomerativeClustering", "HDBSCAN")

NOTES = {
    "KMeans": "no tree",
    "GaussianMixture": "diagonal covariances; no tree",
    "AgglomerativeClustering": "Ward, no seed; the tree is that of its merges above its clusters",
    "HDBSCAN": "no seed, no tree over K leaves; rows in no cluster count as one more cluster",
}

COLUMNS = (
    "leaves",
    "NMI",
    "ARI",
    "ACC",
    "LP",
    "DP",
    "DP adj",
    "SP",
    "SP adj",
    "triplets",
    "s",
)


class Data(NamedTuple):
    """Features of rows.

    Attributes
    ----------
    name : str
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,)
    superclasses : ndarray of shape (n_rows,), or None
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    superclasses: np.ndarray | None

    @property
    def n_classes(self):
        return len(np.unique(self.y))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser, MODELS)
    parser.add_argument(
        "--most-rows",
        type=int,
        default=25_000,
        help=f"with more, {' and '.join(OF_PAIRS)} are left out",
    )
    arguments = parser.parse_args()
    data = read_data(parser, arguments)
    print_head(data, arguments.seeds, COLUMNS)
    notes = []
    for name in arguments.models:
        note = NOTES.get(name)
        if name in OF_PAIRS and len(data.X) > arguments.most_rows:
            print_line(name, {}, COLUMNS)
            note = f"left out above {arguments.most_rows:,} rows"
        else:
            fits = []
            for seed in range(1 if name in OF_PAIRS else arguments.seeds):
                start = perf_counter()
                model = make_model(name, data.n_classes, seed, arguments)
                leaves, tree = leaves_and_tree(model, data.X)
                seconds = perf_counter() - start
                fits.append({**figures_of(leaves, tree, data), "s": seconds})
            print_means(name, fits, COLUMNS)
            if name == "HDBSCAN":
                note += f", here {np.mean(leaves < 0):.0%}"
        notes += [f"{name}: {note}"] if note else []
    if data.superclasses is None:
        notes.append("SP, SP adj, triplets: no superclasses are given")
    print("", *notes, sep="\n")


def add_arguments(parser, models):
    """Add the options that this table and the curves over K share."""
    parser.add_argument("features", nargs="?", type=Path, help="an .npz; the default is digits")
    parser.add_argument("--superclasses", metavar="NAME", help="array of FILE")
    parser.add_argument(
        "--standardise",
        action=argparse.BooleanOptionalAction,
        help="standardise each feature for all models; the default is yes for a file, and no for "
        "the pixels of the digits",
    )
    parser.add_argument("--rows", type=int, help="use only so many rows, drawn at random")
    parser.add_argument("--models", nargs="+", choices=models, default=models, metavar="MODEL")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds")
    for name in ("turtle", "temi"):
        parser.add_argument(
            f"--{name}",
            nargs="+",
            type=name_and_value,
            default=[],
            metavar="NAME=VALUE",
            help=f"parameters of {name.upper()}",
        )


def name_and_value(text):
    name, value = text.split("=")
    return name, literal_eval(value)


def read_data(parser, arguments):
    standardise, superclasses = arguments.standardise, None
    if arguments.seeds < 1:
        parser.error("--seeds must be at least 1")
    if arguments.features is None:
        if arguments.superclasses:
            parser.error("--superclasses needs a file")
        name = "digits"
        X, y = load_digits(return_X_y=True)
    else:
        name = arguments.features.name
        standardise = standardise is not False
        with np.load(arguments.features) as file:
            X, y = file["X"], file["y"]
            if arguments.superclasses:
                if arguments.superclasses not in file:
                    parser.error(f"{name} has no array {arguments.superclasses!r}")
                superclasses = file[arguments.superclasses]
        classes, codes = np.unique(y, return_inverse=True)
        if superclasses is not None and len(superclasses) == len(classes):
            superclasses = superclasses[codes]
        if superclasses is not None and len(superclasses) != len(y):
            parser.error("--superclasses names neither one of each class nor one of each row")
    if arguments.rows is not None:
        if not 1 <= arguments.rows <= len(X):
            parser.error(f"--rows must be from 1 to {len(X)}")
        rows = np.random.default_rng(0).choice(len(X), arguments.rows, replace=False)
        X, y = X[rows], y[rows]
        superclasses = None if superclasses is None else superclasses[rows]
    if standardise:
        X = StandardScaler().fit_transform(X.astype(np.float64))
        name += ", standardised"
    return Data(name, X.astype(np.float32), y, superclasses)


def make_model(name, n_clusters, seed, arguments):
    """A model that is not fitted yet."""
    if name == "GaussianMixture":
        return GaussianMixture(n_clusters, covariance_type="diag", random_state=seed)
    if name == "AgglomerativeClustering":
        return AgglomerativeClustering(n_clusters, compute_full_tree=True)
    if name == "HDBSCAN":
        return HDBSCAN(copy=True)
    if name == "L2H-TURTLE":
        flat = skl2h.TURTLE(n_clusters, random_state=seed, **dict(arguments.turtle))
        return L2HClustering(flat)
    if name == "L2H-TEMI":
        return L2HClustering(skl2h.TEMI(n_clusters, random_state=seed, **dict(arguments.temi)))
    flat = KMeans(n_clusters, random_state=seed)
    return L2HClustering(flat) if name == "L2H-KMeans" else flat


def leaves_and_tree(model, X):
    """Leaf of each row after a fit, and the tree over the leaves, or None."""
    labels = model.fit_predict(X)
    if isinstance(model, L2HClustering):
        return model.leaf_labels_, model.tree_
    if isinstance(model, AgglomerativeClustering):
        return top_of_tree(model.children_, model.n_clusters)
    return labels, None


def top_of_tree(children, n_leaves):
    """Leaf of each row, and the tree of the last ``n_leaves - 1`` merges of rows."""
    if n_leaves == 1:
        return np.zeros(len(children) + 1, dtype=np.intp), MergeTree([])
    # All nodes that these merges join: first those that become leaves, then the merges in order.
    nodes, top = np.unique(children[len(children) + 1 - n_leaves :], return_inverse=True)
    rows, leaf_of_row = MergeTree(children), np.empty(len(children) + 1, dtype=np.intp)
    for leaf, node in enumerate(nodes[:n_leaves]):
        leaf_of_row[rows.members(node)] = leaf
    return leaf_of_row, MergeTree(top.reshape(-1, 2))


def figures_of(leaves, tree, data):
    """Every column but the time, NaN where a fit has none."""
    figures = dict.fromkeys(COLUMNS, np.nan)
    figures["leaves"] = len(np.unique(leaves[leaves >= 0]))
    figures["NMI"] = normalized_mutual_info_score(data.y, leaves)
    figures["ARI"] = adjusted_rand_score(data.y, leaves)
    figures["ACC"] = metrics.clustering_accuracy(data.y, leaves)
    figures["LP"] = metrics.leaf_purity(leaves, data.y)
    if tree is not None:
        figures["DP"] = metrics.dendrogram_purity(tree, leaves, data.y)
    if tree is None or tree.n_leaves < 3:  # two leaves have only one tree
        return figures
    figures["DP adj"] = metrics.dendrogram_purity(tree, leaves, data.y, adjusted=True)
    if data.superclasses is not None:
        of_leaves = most_frequent(leaves, data.superclasses, tree.n_leaves)
        figures["SP"] = metrics.superclass_purity(tree, of_leaves)
        figures["SP adj"] = metrics.superclass_purity(tree, of_leaves, adjusted=True)
        figures["triplets"] = metrics.triplet_accuracy(tree, of_leaves)
    return figures


def most_frequent(leaves, superclasses, n_leaves):
    """Superclass of most rows of each leaf; each leaf without rows has its own superclass."""
    names, codes = np.unique(superclasses, return_inverse=True)
    counts = np.zeros((n_leaves, len(names)), dtype=np.intp)
    np.add.at(counts, (leaves, codes), 1)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), len(names) + np.arange(n_leaves))


def print_head(data, n_seeds, columns):
    print_versions()
    superclasses = "no" if data.superclasses is None else len(np.unique(data.superclasses))
    print(
        f"{data.name}: {len(data.X):,} rows, {data.X.shape[1]} features, {data.n_classes} classes, "
        f"{superclasses} superclasses; {n_seeds} seeds\n"
    )
    print(" " * 24 + "".join(f"{column:>9}" for column in columns), flush=True)


def print_means(name, fits, columns):
    """A line of means over the fits, and if there are several, a line of standard deviations."""
    values = {column: [fit[column] for fit in fits] for column in fits[0]}
    print_line(name, {column: np.mean(each) for column, each in values.items()}, columns)
    if len(fits) > 1:
        spread = {column: np.std(each, ddof=1) for column, each in values.items()}
        print_line(f"{'±':>24}", spread, columns)


def print_line(name, figures, columns):
    cells = (cell(figures.get(column, np.nan), column) for column in columns)
    print(f"{name:24}" + "".join(f"{text:>9}" for text in cells), flush=True)


def cell(figure, column):
    if np.isnan(figure):
        return "-"
    return f"{figure:.1f}" if column in ("leaves", "s") else f"{figure:.3f}"


if __name__ == "__main__":
    main()
