"""
The idea in one figure
======================

Five clusters in a plane are merged step by step. Which group is the model least sure of, and where
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

from skl2h import DendrogramDisplay, L2HClustering, merge_evidence

centers = [[0, 0], [2.6, 0.6], [8, 1.5], [8.6, 4.4], [2.5, 8]]
X, _ = make_blobs(400, centers=centers, random_state=1)
mixture = GaussianMixture(5, random_state=0)
model = L2HClustering(mixture).fit(X)
print(model.children_)
print(model.distances_.round(2))

# %%
# Step by step
# ------------
# Rows have the colour of their group. In each step, the rows of the selected group have black
# rings, and the colour of the group that they would go to.

tree = model.tree_
colors = plt.get_cmap("Set2").colors
logits = np.log(model.predict_proba(X, level=5))
middles = [X[model.leaf_labels_ == leaf].mean(axis=0) for leaf in range(5)]


def draw(ax, leaves, level, title):
    """Draw each row in the colour of the group that holds its leaf at a level."""
    ax.scatter(*X.T, c=np.take(colors, tree.cut(level)[leaves], axis=0), s=12)
    ax.set_title(title, fontsize=13)
    ax.set(xticks=[], yticks=[], aspect="equal")


def write_leaves(ax):
    """Write the number of each leaf in the middle of its rows."""
    for leaf, middle in enumerate(middles):
        box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": "none"}
        ax.text(*middle, leaf, size=13, ha="center", va="center", bbox=box)


fig, axes = plt.subplots(2, 3, figsize=(8, 5.6), layout="constrained")
first, *steps, last = axes.flat
draw(first, model.leaf_labels_, 5, "five leaves")
write_leaves(first)
for t, (ax, (selected, partner)) in enumerate(zip(steps, tree.children)):
    inside = tree.members(selected)
    rows = np.isin(model.leaf_labels_, inside)
    outside = logits[rows]
    outside[:, inside] = -np.inf
    goes_to = model.leaf_labels_.copy()
    goes_to[rows] = outside.argmax(axis=1)
    names = [" ".join(map(str, tree.members(node))) for node in (selected, partner)]
    draw(ax, goes_to, 5 - t, f"{t + 1}.  {names[0]}  \N{RIGHTWARDS ARROW}  {names[1]}")
    ax.scatter(*X[rows].T, s=26, facecolors="none", edgecolors="black", linewidths=0.7)
    write_leaves(ax)
DendrogramDisplay.from_tree(tree, ax=last, text_kw={"fontsize": 13})
last.set_title("the tree", fontsize=13)

# %%
# First 0 joins 3, and then 4 joins 1: these pairs lie close together. In step 3 the rows of 2 are
# split, and more of them go to the group of 0 and 3 than to the group of 1 and 4. In step 4 a group
# of two leaves is selected, and the columns of both are removed.
#
# Why each merge was made, in words:

evidence = merge_evidence(model, X, n_rows=0)
print(evidence)
