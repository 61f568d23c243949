"""
A classifier's hierarchy and its surprises
==========================================

Which classes does a classifier confuse, and where does that contradict what we expect?
"""

# %%
# Digits, seen by a linear classifier
# -----------------------------------
# The tree is made from held-out rows, which the classifier has not seen.

import matplotlib.pyplot as plt
import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

from skl2h import (
    DendrogramDisplay,
    L2HClustering,
    ProfileMatrixDisplay,
    merge_evidence,
    surprises,
)
from skl2h.metrics import shared_clades

digits = load_digits()
X_fit, X, y_fit, y = train_test_split(digits.data / 16, digits.target, random_state=0)
classifier = LogisticRegression(C=0.01, max_iter=1000).fit(X_fit, y_fit)
model = L2HClustering(FrozenEstimator(classifier)).fit(X)
print(f"accuracy {classifier.score(X, y):.3f}")

# %%
# We expect digits with a closed loop (0, 6, 8, 9) to stand together. Colours show them:

loop = np.where(np.isin(np.arange(10), [0, 6, 8, 9]), "loop", "none")
DendrogramDisplay.from_estimator(model, leaf_classes=loop)

# %%
# What contradicts it
# -------------------
# These are the merges that join classes which the taxonomy keeps apart, strongest first. Each line
# has the share of the group's rows that would go to its partner.

found = surprises(model, loop, evidence=merge_evidence(model, X))
for line in found.lines():
    print(line.split("; such as")[0])

# %%
# The strongest of them joins 9, which has a loop, with 3, which has no loop. Here are three of the
# rows that contribute most to it:

rows = found.evidence.rows[0][:3]
fig, axes = plt.subplots(1, len(rows), figsize=(6, 2.4), layout="constrained")
for ax, row in zip(axes, rows):
    ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"row {row}: {y[row]}")
    ax.set_axis_off()

# %%
# Where the rows of each leaf would go
# ------------------------------------
# Each line of the matrix is a leaf, and shows where its rows would go if their class did not exist.
# All rows count, also those that the classifier gets right.

display = ProfileMatrixDisplay.from_estimator(model, X)

# %%
# Compared with a confusion matrix
# --------------------------------
# In a confusion matrix only mistakes count, and most pairs of classes were never mistaken for each
# other.

mistakes = confusion_matrix(y, classifier.predict(X))
np.fill_diagonal(mistakes, 0)
for what, matrix in (("mistakes", mistakes), ("profiles", display.profiles)):
    pairs = squareform(matrix + matrix.T)
    print(f"{what}: {(pairs == 0).sum()} of {len(pairs)} pairs of classes have none")
print(f"rows that are mistakes: {mistakes.sum()} of {len(X)}")

# %%
# Average linkage of the mistakes gives another tree, and needs ``y``. It has little in common with
# the tree of the classifier's logits.

alike = mistakes + mistakes.T
distances = squareform(alike.max() - alike, checks=False)
display = DendrogramDisplay.from_linkage(linkage(distances, "average"), leaf_classes=loop)
print(f"share of common clades: {shared_clades(model, display.tree):.3f}")
