"""
A classifier's hierarchy and its surprises
==========================================

What does a classifier take for what, and where does that contradict what we expect?
"""

# %%
# Digits, seen by a linear classifier
# -----------------------------------
# The tree is made of held-out rows, which the classifier has not seen.

from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skl2h import (
    DendrogramDisplay,
    L2HClustering,
    ProfileMatrixDisplay,
    merge_evidence,
    surprises,
)

digits = load_digits()
X_fit, X, y_fit, y = train_test_split(digits.data / 16, digits.target, random_state=0)
classifier = LogisticRegression(C=0.01, max_iter=1000).fit(X_fit, y_fit)
model = L2HClustering(FrozenEstimator(classifier)).fit(X)
print(f"accuracy {classifier.score(X, y):.3f}")

# %%
# We expect digits with a closed loop (0, 6, 8, 9) to stand together. Colours show them:

loop = ["loop" if digit in (0, 6, 8, 9) else "none" for digit in range(10)]
DendrogramDisplay.from_estimator(model, leaf_classes=loop)

# %%
# What contradicts it
# -------------------
# The merges that join what the taxonomy keeps apart, strongest first, with the share of the rows
# behind each and the rows that carry it most.

evidence = merge_evidence(model, X)
for line in surprises(model, loop, evidence=evidence).lines()[:3]:
    print(line)

# %%
# Three of the rows behind the strongest:

import matplotlib.pyplot as plt

found = surprises(model, loop, evidence=evidence)
rows = found.evidence.rows[0][:3]
fig, axes = plt.subplots(1, len(rows), figsize=(6, 2.4), layout="constrained")
for ax, row in zip(axes, rows):
    ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"row {row}: {y[row]}")
    ax.set_axis_off()

# %%
# Where the rows of each leaf would go
# ------------------------------------
# A confusion matrix has a few wrong rows. Here all rows tell where they would go if their class did
# not exist.

ProfileMatrixDisplay.from_estimator(model, X)
