"""
Trees of scikit-learn and SciPy
===============================

The same Display draws ``AgglomerativeClustering`` and a linkage matrix. Their leaves are rows;
those of L2H are clusters.
"""

# %%
# scikit-learn's
# --------------
# 150 flowers are 150 leaves. The picture stops at 20 groups. The colours are the groups of level 3.

import matplotlib.pyplot as plt
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris

from skl2h import DendrogramDisplay

iris = load_iris()
X, species = iris.data, iris.target_names[iris.target]
ward = AgglomerativeClustering(3, compute_distances=True).fit(X)
display = DendrogramDisplay.from_estimator(
    ward,
    level=3,
    max_leaves=20,
)

# %%
# SciPy's
# -------
# All 150 leaves are drawn around a circle. Heights are the distances of the linkage. The colours
# are the species: a branch is coloured if all of its flowers are of one species.

from scipy.cluster.hierarchy import linkage

average = linkage(X, "average")
fig, ax = plt.subplots(figsize=(6, 4.5), layout="constrained")
display = DendrogramDisplay.from_linkage(
    average,
    layout="radial",
    heights="score",
    leaf_classes=species,
    show_labels=False,
    ax=ax,
)

# %%
# An icicle of the last 40 groups: a line across any height meets the groups of that level.

fig, ax = plt.subplots(figsize=(6, 4.5), layout="constrained")
display = DendrogramDisplay.from_linkage(
    average,
    layout="icicle",
    level=3,
    max_leaves=40,
    ax=ax,
)

# %%
# The tree of L2H
# ---------------
# The leaves are the clusters of a flat model, six here, however many rows there are.

from sklearn.mixture import GaussianMixture

from skl2h import L2HClustering

mixture = GaussianMixture(6, random_state=0)
model = L2HClustering(mixture, n_clusters=3).fit(X)
print("merges of rows:    ", len(ward.children_))
print("merges of clusters:", len(model.children_))
display = DendrogramDisplay.from_estimator(
    model,
    show_counts=True,
)

# %%
# A tree of rows has only the rows it was fitted on: ``AgglomerativeClustering`` has no ``predict``.
# With a tree of clusters you can predict new rows, at every level:

flower = [[5.1, 3.7, 1.4, 0.3]]
for level in (6, 3, 2):
    group = model.predict(flower, level=level)[0]
    proba = model.predict_proba(flower, level=level)[0, group]
    print(f"level {level}: group {group}, probability {proba:.2f}")

# %%
# The model is not sure of the leaf, but is sure of the group of two leaves that holds it.
