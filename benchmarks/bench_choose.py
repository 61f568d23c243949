"""How often a search over the number of clusters finds the planted one.

    python benchmarks/bench_choose.py [SEEDS]

The data has 1,500 rows in 3 to 12 round clusters in 2 to 8 dimensions. `apart` is the least
distance of two clusters in standard deviations; sizes are equal or uneven (Dirichlet, 5). The
search goes over 2 to 16 clusters, and scores on the fitted rows.
"""

import sys
import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import calinski_harabasz_score, silhouette_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV

from skl2h import L2HClustering
from skl2h.metrics import make_tree_scorer


def bic(model, X, y=None):
    return -model.estimator_.bic(X)


MIXTURE = L2HClustering(GaussianMixture(covariance_type="diag", n_init=3, random_state=0))
MEANS = L2HClustering(KMeans(n_init=5, random_state=0))
RECIPES = {
    "GaussianMixture, BIC": (MIXTURE, "estimator__n_components", bic),
    "KMeans, Calinski-Harabasz": (
        MEANS,
        "estimator__n_clusters",
        make_tree_scorer(calinski_harabasz_score),
    ),
    "KMeans, silhouette": (MEANS, "estimator__n_clusters", make_tree_scorer(silhouette_score)),
}


def planted(seed, apart, uneven):
    random_state = np.random.default_rng(seed)
    n_clusters, n_features = int(random_state.integers(3, 13)), int(random_state.integers(2, 9))
    spread, nearest = 1.0, 0.0
    while nearest < apart:
        centres = spread * random_state.standard_normal((n_clusters, n_features))
        distances = np.linalg.norm(centres[:, np.newaxis] - centres, axis=-1)
        nearest = distances[~np.eye(n_clusters, dtype=bool)].min()
        spread *= 1.05
    share = np.full(n_clusters, 5.0)
    share = random_state.dirichlet(share) if uneven else share / share.sum()
    y = random_state.choice(n_clusters, 1500, p=share)
    return centres[y] + random_state.standard_normal((1500, n_features)), n_clusters


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"share of {seeds} seeds in which the planted number of clusters was found")
    print(f"{'apart':>6} {'sizes':7}" + "".join(f"{name:>28}" for name in RECIPES))
    for apart in (6, 4.5, 3.5):
        for uneven in (False, True):
            found = dict.fromkeys(RECIPES, 0)
            for seed in range(seeds):
                X, n_clusters = planted(seed, apart, uneven)
                rows = np.arange(len(X))
                for name, (model, parameter, scoring) in RECIPES.items():
                    search = GridSearchCV(
                        model,
                        {parameter: range(2, 17)},
                        scoring=scoring,
                        cv=[(rows, rows)],
                        refit=False,
                        n_jobs=2,
                    ).fit(X)
                    best = search.cv_results_["mean_test_score"].argmax()
                    found[name] += best + 2 == n_clusters
            print(
                f"{apart:6} {'uneven' if uneven else 'equal':7}"
                + "".join(f"{found[name] / seeds:28.2f}" for name in RECIPES),
                flush=True,
            )


if __name__ == "__main__":
    main()
