"""
Trees of scikit-learn and SciPy
===============================

The Display draws any hierarchy: ``AgglomerativeClustering``, a linkage matrix, and ours.
"""

# %%
# scikit-learn's
# --------------
# Its leaves are the rows, so the tree is collapsed at a level.

import matplotlib.pyplot as plt
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris

from skl2h import DendrogramDisplay, L2HClustering

X, y = load_iris(return_X_y=True)
ward = AgglomerativeClustering(n_clusters=3, compute_distances=True).fit(X)
DendrogramDisplay.from_estimator(ward, level=3, max_leaves=20)

# %%
# SciPy's
# -------
# A linkage matrix, with the scores as heights: radial, with a colour for the species of each
# flower, and as an icicle.

Z = linkage(X, "average")
fig, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
species = load_iris().target_names[y]
DendrogramDisplay.from_linkage(
    Z, layout="radial", leaf_classes=species, show_labels=False, heights="score", ax=axes[0]
)
DendrogramDisplay.from_linkage(Z, layout="icicle", level=3, show_labels=False, ax=axes[1])

# %%
# Ours
# ----
# Here the leaves are the clusters of a flat model: six of them, however many rows there are, and
# new rows can be predicted at every level.

from sklearn.mixture import GaussianMixture

model = L2HClustering(GaussianMixture(6, random_state=0), n_clusters=3).fit(X)
print(model.predict(X[:3]), model.predict(X[:3], level=6))
DendrogramDisplay.from_estimator(model, level=3, show_counts=True)
