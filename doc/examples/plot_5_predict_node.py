"""
Predict as deep as is safe
==========================

A flat prediction is right or wrong. With a tree, a model that is not sure of the class can predict
a group of classes.
"""

# %%
# Held-out digits
# ---------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skl2h import L2HClustering

X, y = load_digits(return_X_y=True)
X_fit, X_new, y_fit, y_new = train_test_split(X / 16, y, test_size=0.5, random_state=0)
classifier = LogisticRegression(C=0.1, max_iter=1000)
model = L2HClustering(classifier).fit(X_fit, y_fit)
tree = model.tree_

# %%
# Nodes instead of leaves
# -----------------------
# ``predict_node`` goes up from the most probable leaf until the model is sure enough.

nodes = model.predict_node(X_new, min_confidence=0.7)
for row in range(5):
    members = ", ".join(tree.names[leaf] for leaf in tree.members(nodes[row]))
    print(f"row {row} shows {y_new[row]}, predicted: {members}")

# %%
# What it gains
# -------------
# A node is right if it holds the true class. The surer the model has to be, the more rows are
# right, but the more classes a node holds.

holds = np.zeros((tree.n_nodes, tree.n_leaves), dtype=bool)
for node in range(tree.n_nodes):
    holds[node, tree.members(node)] = True
confidences = np.linspace(0.1, 0.99, 30)
right, leaf, size = [], [], []
for confidence in confidences:
    nodes = model.predict_node(X_new, min_confidence=confidence)
    right.append(holds[nodes, y_new].mean())
    leaf.append((nodes < model.n_leaves_).mean())
    size.append(tree.sizes[nodes].mean())

for at in range(0, 30, 5):
    print(
        f"min_confidence {confidences[at]:.2f}: {right[at]:.3f} right, "
        f"{size[at]:.1f} classes in a node"
    )

# %%
# With ``min_confidence=0.56``, a node holds two classes on average, and more than half of the
# mistakes of the leaves are gone.

fig, (left, ax) = plt.subplots(1, 2, figsize=(7.5, 3.2), layout="constrained")
left.plot(confidences, right, label="right")
left.plot(confidences, leaf, label="placed at a leaf")
left.set(xlabel="min_confidence", ylabel="share of rows", ylim=(0, 1.02))
left.legend()
ax.plot(size, right, "o-", markersize=3)
ax.set(xlabel="classes in a node, on average", ylabel="share of rows that are right")
