"""
Choosing K
==========

The leaves are the finest groups that a tree can have. How many should there be?
"""

# %%
# Two levels of clusters
# ----------------------
# Nine clusters in three groups.

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV

from skl2h import DendrogramDisplay, L2HClustering
from skl2h.metrics import dendrogram_purity, make_tree_scorer

far = np.array([[0, 0], [20, 0], [10, 17]])
near = np.array([[0, 0], [5, 0], [2, 4]])
centers = (far[:, np.newaxis] + near).reshape(-1, 2)
X, y = make_blobs(900, centers=centers, random_state=0)

# %%
# Without labels
# --------------
# The search uses the Bayesian information criterion of the mixture, on the rows it was fitted on.
# So it has one split, in which all rows are both fitted and scored.

rows = np.arange(len(X))


def bic(model, X, y=None):
    """Minus the criterion, because a search looks for the largest value."""
    return -model.estimator_.bic(X)


mixture = GaussianMixture(covariance_type="spherical", n_init=3, random_state=0)
numbers = list(range(3, 16))
search = GridSearchCV(
    L2HClustering(mixture),
    {"estimator__n_components": numbers},
    scoring={
        "bic": bic,
        "purity": make_tree_scorer(dendrogram_purity),
    },
    refit="bic",
    cv=[(rows, rows)],
).fit(X, y)
print(search.best_params_)

# %%
# For the purity of the tree, the search was given ``y`` as well. The purity rises until the leaves
# are fine enough, and then stays, so it does not show when there are too many.

bics = -search.cv_results_["mean_test_bic"]
purities = search.cv_results_["mean_test_purity"]
for K in (8, 9, 10, 15):
    at = numbers.index(K)
    print(f"K={K:2}: BIC {bics[at]:.0f}, purity {purities[at]:.2f}")

# %%
# In the curves, look for the minimum of the criterion and the bend of the purity:

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.plot(numbers, bics, "o-", color="tab:blue")
ax.set_xlabel("K")
ax.set_ylabel("BIC (less is better)", color="tab:blue")
other = ax.twinx()
other.plot(numbers, purities, "s--", color="tab:red")
other.set_ylabel("dendrogram purity", color="tab:red")

# %%
# The tree of the best model
# --------------------------

DendrogramDisplay.from_estimator(search.best_estimator_, level=3)
