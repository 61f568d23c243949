"""
Choosing a level, and support
=============================

Which level of a tree to take, and which of its merges would other rows give as well?
"""

# %%
# A planted hierarchy
# -------------------

from skl2h import DendrogramDisplay, L2HClustering, bootstrap_support, suggest_levels
from skl2h.datasets import make_hierarchical_logits

logits, leaves, planted = make_hierarchical_logits(200, 24, random_state=0)
model = L2HClustering("precomputed").fit(logits)

# %%
# Levels
# ------
# The best levels, and how much each adds to those before it.

levels, gains = suggest_levels(model, logits)
for level, gain in zip(levels, gains):
    print(f"level {level:2}: {gain:.3f}")

# %%
# Support
# -------
# Rows are drawn again with replacement, fifty times, and a tree is made of each draw. The support
# of a merge is the share of these trees that have its group.

tree = bootstrap_support(model, logits, n_resamples=50, random_state=0)
DendrogramDisplay.from_tree(tree, level=int(levels[0]), node_labels="support")

# %%
# Merges with support near 1 can be relied on. Where it is low, other rows of the same kind would
# have given another order: cut above, and take the group as one.

low = [node for node, value in enumerate(tree.support, tree.n_leaves) if value < 0.5]
print("nodes with support below 0.5:", low)
