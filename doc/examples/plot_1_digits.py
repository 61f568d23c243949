"""
Digits with a mixture
=====================

Ten Gaussians are fitted to images of digits, without labels. What does their hierarchy look like?
"""

# %%
# Fit
# ---
# The inner model is a Pipeline. It is cloned and fitted, and then its clusters are merged.

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline

from skl2h import DendrogramDisplay, L2HClustering

digits = load_digits()
mixture = GaussianMixture(10, covariance_type="tied", random_state=7)
pipeline = make_pipeline(PCA(15, random_state=0), mixture)
model = L2HClustering(pipeline, n_clusters=4).fit(digits.data)

# %%
# Name the leaves
# ---------------
# Each leaf is named after the digit that most of its images show.

seen = [digits.target[model.leaf_labels_ == leaf] for leaf in range(10)]
most = [np.bincount(some).argmax() for some in seen]
tree = model.tree_.with_names([f"mostly {digit}" for digit in most])
DendrogramDisplay.from_tree(tree, level=4)

# %%
# What the leaves look like
# -------------------------
# The mean image of each leaf, named by its digit, in the order of the tree.

import matplotlib.pyplot as plt

fig, axes = plt.subplots(1, 10, figsize=(7, 1.1), layout="constrained")
for ax, leaf in zip(axes, tree.leaf_order):
    image = digits.images[model.leaf_labels_ == leaf].mean(axis=0)
    ax.imshow(image, cmap="gray_r")
    ax.set_title(most[leaf], fontsize=12)
    ax.set_axis_off()

# %%
# Levels
# ------
# Levels are nested: each group of a level lies within a group of every coarser level. The ten
# leaves agree best with the ten digits, as they should, because each merge joins two digits or
# more.

for level in (10, 8, 6, 4, 2):
    labels = model.cut(level)
    sizes = np.bincount(labels)
    score = adjusted_rand_score(digits.target, labels)
    print(f"{level:2} groups of {sizes.min()} to {sizes.max()} images: adjusted Rand {score:.2f}")
