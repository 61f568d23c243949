"""Other tools for hierarchies, tried on digits.

    pip install . hdbscan genieclust bertopic nbdt
    python benchmarks/compare_libraries.py

For each tool the table shows: its leaves; the number of groups when ten are requested, for digits
and for tied rows (a grid); whether it can place new rows; the agreement with the digits (adjusted
Rand index, over the rows that are not noise); and the time relative to KMeans. Tools that are not
installed are listed. The words for BERTopic are the names of the brightest pixels, and its
clusterer is KMeans.
"""

import time
import warnings
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from skl2h import L2HClustering


def skl2h(X):
    model = L2HClustering(KMeans(20, n_init=1, random_state=0), n_clusters=10).fit(X)
    return f"{model.n_leaves_} clusters", model.labels_, model.predict(X[:5])


def scikit_learn_agglomerative(X):
    model = AgglomerativeClustering(10).fit(X)
    return f"{len(model.children_) + 1} rows", model.labels_, None


def scipy_average(X):
    tree = linkage(X, "average")
    return f"{len(tree) + 1} rows", fcluster(tree, 10, "maxclust") - 1, None


def scikit_learn_hdbscan(X):
    model = HDBSCAN(min_cluster_size=20, copy=True).fit(X)
    return "rows, not shown", model.labels_, None


def hdbscan(X):
    from hdbscan import HDBSCAN, approximate_predict

    model = HDBSCAN(min_cluster_size=20, prediction_data=True).fit(X)
    n_rows = len(model.single_linkage_tree_.to_numpy()) + 1
    return f"{n_rows} rows", model.labels_, approximate_predict(model, X[:5])[0]


def genieclust(X):
    from genieclust import Genie

    model = Genie(n_clusters=10).fit(np.asarray(X, dtype=float))
    return f"{len(model.labels_)} rows", model.labels_, None


def bertopic(X):
    from bertopic import BERTopic

    words = [" ".join(f"pixel{at}" for at in np.argsort(-row)[:12]) for row in X]
    model = BERTopic(
        embedding_model=None,
        umap_model=PCA(min(5, X.shape[1])),
        hdbscan_model=KMeans(10, n_init=1, random_state=0),
    )
    labels, _ = model.fit_transform(words, embeddings=X)
    tree = model.hierarchical_topics(words)
    new, _ = model.transform(words[:5], embeddings=X[:5])
    return f"{len(tree) + 1} topics", np.array(labels), np.array(new)


def nbdt(X):
    import torch
    from nbdt.graph import build_induced_graph

    weights = {"fc.weight": torch.tensor(KMeans(10, n_init=1).fit(X).cluster_centers_)}
    wnids = [f"n{number:08}" for number in range(10)]
    build_induced_graph(wnids, checkpoint=None, state_dict=weights)
    return "10 classes", None, None


TOOLS = [
    ("skl2h", skl2h),
    ("scikit-learn", scikit_learn_agglomerative),
    ("scikit-learn", scikit_learn_hdbscan),
    ("scipy", scipy_average),
    ("hdbscan", hdbscan),
    ("genieclust", genieclust),
    ("bertopic", bertopic),
    ("nbdt", nbdt),
]


def main():
    warnings.simplefilter("ignore")
    X, y = load_digits(return_X_y=True)
    grid = np.stack(np.meshgrid(np.arange(12.0), np.arange(12.0)), axis=-1).reshape(-1, 2)
    unit = min(seconds(lambda: KMeans(10, n_init=1, random_state=0).fit(X)) for _ in range(3))
    print(
        f"{'tool':36} {'leaves':16} {'ten of digits':>13} {'of ties':>7} {'new rows':>8}  ARI  time"
    )
    for package, tool in TOOLS:
        name = tool.__name__.replace("_", " ")
        try:
            name = f"{name} {version(package)}"
            tool(X)  # so that compiling and loading are not timed
            start = time.perf_counter()
            leaves, labels, new = tool(X)
            ratio = (time.perf_counter() - start) / unit
            kept = labels >= 0
            groups = len(np.unique(labels[kept]))
            noise = f"+{(~kept).sum()} noise" if not kept.all() else ""
            try:
                tied = len(np.unique(tool(grid)[1]))
            except ValueError:
                tied = "error"
            agreement = adjusted_rand_score(y[kept], labels[kept])
            print(
                f"{name:36} {leaves:16} {str(groups) + noise:>13} {tied!s:>7} "
                f"{'no' if new is None else 'yes':>8} {agreement:5.2f} {ratio:5.1f}",
                flush=True,
            )
        except PackageNotFoundError:
            print(f"{name:36} is not installed")
        except Exception as error:
            said = " ".join(str(error).split())
            print(f"{name:36} {type(error).__name__}: {said[:70]}")


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
