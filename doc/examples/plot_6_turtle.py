"""
L2H-TURTLE on digits
====================

TURTLE finds clusters that a linear classifier can be taught; L2H makes their hierarchy.
"""

# %%
# Fit
# ---
# TURTLE is made for features of pretrained models. Pixels of digits are few and plain, so it is no
# better than ``KMeans`` here; on features of sentences it is: see :doc:`/guide/flat_models`.

from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from skl2h import TURTLE, DendrogramDisplay, L2HClustering
from skl2h.metrics import clustering_accuracy, dendrogram_purity

X, y = load_digits(return_X_y=True)
turtle = L2HClustering(TURTLE(10, max_iter=1000, random_state=0), n_clusters=4).fit(X)
kmeans = L2HClustering(KMeans(10, n_init=10, random_state=0), n_clusters=4).fit(X)
for name, model in [("TURTLE", turtle), ("KMeans", kmeans)]:
    accuracy = clustering_accuracy(y, model.leaf_labels_)
    purity = dendrogram_purity(model, model.leaf_labels_, y)
    print(f"{name}: accuracy of the leaves {accuracy:.2f}, purity of the tree {purity:.2f}")

# %%
# The loss
# --------

import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.plot(turtle.estimator_.loss_curve_)
ax.set(xlabel="step", ylabel="loss of a batch")

# %%
# The tree
# --------

import numpy as np

seen = [y[turtle.leaf_labels_ == leaf] for leaf in range(10)]
names = [f"mostly {np.bincount(some, minlength=10).argmax()}" for some in seen]
DendrogramDisplay.from_tree(turtle.tree_.with_names(names), level=4)
