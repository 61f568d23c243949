"""
The idea in one figure
======================

Five clusters in a plane, merged step by step: which group is the model least sure of, and where
would its rows go without it?
"""

# %%
# Five clusters
# -------------
# Two pairs lie close together, and one cluster is alone. A mixture finds them.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from skl2h import DendrogramDisplay, L2HClustering

centers = [[0, 0], [2.6, 0.6], [8, 1.5], [8.6, 4.4], [2.5, 8]]
X, _ = make_blobs(400, centers=centers, random_state=1)
mixture = GaussianMixture(5, random_state=0)
model = L2HClustering(mixture).fit(X)
print(model.children_)
print(model.distances_.round(2))

# %%
# Step by step
# ------------
# Before each merge, the group that is selected has black rings. Its rows have the colour of the
# leaf outside the group that they would go to; all other rows have the colour of their own leaf.

tree = model.tree_
colors = plt.get_cmap("Set2").colors
logits = np.log(model.predict_proba(X, level=5))
fig, axes = plt.subplots(1, 4, figsize=(12, 3.6), sharex=True, sharey=True, layout="constrained")
fig.get_layout_engine().set(h_pad=0.15)
for t, (ax, (selected, partner)) in enumerate(zip(axes, model.children_)):
    inside = tree.members(selected)
    rows = np.isin(model.leaf_labels_, inside)
    shown = model.leaf_labels_.copy()
    outside = logits[rows]
    outside[:, inside] = -np.inf
    shown[rows] = outside.argmax(axis=1)
    ax.scatter(*X.T, c=[colors[leaf] for leaf in shown], s=12)
    ax.scatter(*X[rows].T, s=34, facecolors="none", edgecolors="black", linewidths=0.5)
    for leaf in range(5):
        ax.annotate(
            leaf,
            X[model.leaf_labels_ == leaf].mean(axis=0),
            ha="center",
            va="center",
            bbox={"boxstyle": "circle", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )
    names = ["{" + ", ".join(map(str, tree.members(node))) + "}" for node in (selected, partner)]
    ax.set_title(f"{t + 1}. {names[0]} to {names[1]}", fontsize=11)
    ax.set(xticks=[], yticks=[], aspect="equal")

# %%
# The first to go is the cluster whose rows are the least sure; then the other pair. A group is
# asked as a whole: in the last step both of its leaves are struck out.
#
# The tree
# --------

DendrogramDisplay.from_estimator(model, level=3)
