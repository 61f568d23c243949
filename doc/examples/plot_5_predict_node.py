"""
Predict as deep as is safe
==========================

A flat prediction is right or wrong. In a tree a model can say "one of these" where it cannot tell
which.
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
model = L2HClustering(LogisticRegression(C=0.1, max_iter=1000)).fit(X_fit, y_fit)

# %%
# Nodes instead of leaves
# -----------------------
# ``predict_node`` goes up from the most probable leaf until the model is sure enough.

nodes = model.predict_node(X_new, min_confidence=0.7)
names = model.tree_.node_names()
for row in range(5):
    members = [model.tree_.names[leaf] for leaf in model.tree_.members(nodes[row])]
    print(f"row {row} is a {y_new[row]}: {names[nodes[row]]}, one of {', '.join(members)}")

# %%
# How much is gained
# ------------------
# A node is right if it holds the true class. The surer the model has to be, the more rows are
# right, and the more classes a node holds.

sizes = np.array([len(model.tree_.members(node)) for node in range(2 * model.n_leaves_ - 1)])
holds = np.zeros((2 * model.n_leaves_ - 1, 10), dtype=bool)
for node in range(2 * model.n_leaves_ - 1):
    holds[node, model.tree_.members(node)] = True
confidences = np.linspace(0.1, 0.99, 30)
right, leaf, size = [], [], []
for confidence in confidences:
    nodes = model.predict_node(X_new, min_confidence=confidence)
    right.append(holds[nodes, y_new].mean())
    leaf.append((nodes < model.n_leaves_).mean())
    size.append(sizes[nodes].mean())

fig, (left, ax) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.plot(confidences, right, label="right")
left.plot(confidences, leaf, label="placed at a leaf")
left.set(xlabel="min_confidence", ylabel="share of rows", ylim=(0, 1.02))
left.legend()
ax.plot(size, right, "o-", markersize=3)
ax.set(xlabel="classes in a node, on average", ylabel="share of rows that are right")
