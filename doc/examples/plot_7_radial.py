"""
A radial tree of a thousand leaves
==================================

Logits as large as those of a network for ImageNet: a thousand classes, and too many leaves for a
page.
"""

# %%
# Logits with a planted tree
# --------------------------

import time

import matplotlib.pyplot as plt

from skl2h import DendrogramDisplay, l2h_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.metrics import triplet_accuracy

logits, _, planted = make_hierarchical_logits(20_000, 1000, random_state=0)
start = time.perf_counter()
tree = l2h_tree(logits)
print(f"{logits.shape[0]:,} x {logits.shape[1]:,} logits in {time.perf_counter() - start:.1f} s")
print(f"triplets as planted: {triplet_accuracy(tree, planted):.3f}")

# %%
# All leaves
# ----------
# Around a circle there is room for a thousand leaves, not for their names.

DendrogramDisplay.from_tree(tree, layout="radial", level=12, show_labels=False, legend=False)

# %%
# Collapsed
# ---------
# The sixty groups of one level, each with the number of its leaves.

fig, ax = plt.subplots(figsize=(8, 8), layout="constrained")
DendrogramDisplay.from_tree(tree, layout="radial", level=12, max_leaves=60, ax=ax, legend=False)
