"""
A radial tree of a thousand leaves
==================================

The logits have as many columns as those of a network for ImageNet. How much of a planted tree is
found, and how can you look at a thousand leaves?
"""

# %%
# How much is found
# -----------------
# The tree that the logits follow is known. The smaller the difference of a logit from level to
# level (`separation`), the more often noise gives a row another leaf.

import time

from skl2h import l2h_tree
from skl2h.datasets import make_hierarchical_logits
from skl2h.metrics import shared_clades, triplet_accuracy

print("separation  rows in  wrong triples  clades  seconds")
print("           own leaf  in a million   found")
trees = {}
for separation in (3.0, 1.0, 0.5):
    logits, leaves, planted = make_hierarchical_logits(
        20_000, 1000, separation=separation, random_state=0
    )
    start = time.perf_counter()
    trees[separation] = tree = l2h_tree(logits)
    seconds = time.perf_counter() - start
    own = (logits.argmax(axis=1) == leaves).mean()
    wrong = 1e6 * (1 - triplet_accuracy(tree, planted))
    clades = shared_clades(tree, planted)
    figures = f"{own:8.2f} {wrong:14.1f} {clades:7.3f} {seconds:8.1f}"
    print(f"{separation:10.1f} {figures}")

# %%
# The two metrics measure different things. Most triples of leaves are split at the root or just
# below it, and there the tree is right even if most rows are in the wrong leaf. Most clades have
# few leaves, and there the noise decides: at the smallest separation half of them are not found.
# (One leaf in a wrong place can make 3,000 wrong triples in a million, so the differences
# between the three trees mean little.)
#
# All leaves
# ----------
# A circle has room for a thousand leaves, but not for their names at this size. The colours are the
# twelve groups of one level. With ``heights="score"`` the large groups stand out, because a merged
# group scores at least twice as much as the selected group.

import matplotlib.pyplot as plt

from skl2h import DendrogramDisplay

fig, ax = plt.subplots(figsize=(6, 6), layout="constrained")
display = DendrogramDisplay.from_tree(
    trees[3.0],
    layout="radial",
    heights="score",
    level=12,
    show_labels=False,
    legend=False,
    ax=ax,
)

# %%
# Collapsed
# ---------
# This is the same tree with the same colours, cut off at 60 groups. Each triangle has a label that
# says what it holds.

fig, ax = plt.subplots(figsize=(6, 6), layout="constrained")
display = DendrogramDisplay.from_tree(
    trees[3.0],
    layout="radial",
    level=12,
    max_leaves=60,
    legend=False,
    ax=ax,
)
