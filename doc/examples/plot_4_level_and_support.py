"""
Choosing a level, and support
=============================

Which level of a tree to take, and which of its merges would other rows give as well?
"""

# %%
# A planted hierarchy
# -------------------
# 24 leaves in 12 pairs, 6 groups of four, and 3 groups of eight, two of which are a pair again.

from skl2h import (
    DendrogramDisplay,
    L2HClustering,
    bootstrap_support,
    suggest_levels,
)
from skl2h.datasets import make_hierarchical_logits

logits, leaves, planted = make_hierarchical_logits(200, 24, random_state=0)
model = L2HClustering("precomputed", n_clusters="auto").fit(logits)
print(model.n_clusters_)

# %%
# Levels
# ------
# ``n_clusters="auto"`` took the level that tells most of where the rows would go. The best levels,
# and how much each adds to those before it:

levels, gains = suggest_levels(model, logits)
for level, gain in zip(levels, gains):
    print(f"level {level:2}: {gain:.3f}")

# %%
# The levels of pairs, fours and eights come first, and the others add nothing.
#
# Support
# -------
# Rows are drawn again with replacement, fifty times, and a tree is made of each draw. The support
# of a merge is the share of these trees that have its group.

tree = bootstrap_support(model, logits, n_resamples=50, random_state=0)
DendrogramDisplay.from_tree(tree, level=model.n_clusters_, node_labels="support")

# %%
# Merges with support near 1 can be relied on. Where it is low, other rows of the same kind would
# have put other leaves together: do not take that group as one, but cut into more.

for node, support in enumerate(tree.support, tree.n_leaves):
    if support < 0.5:
        sizes = tree.sizes[tree.children[node - tree.n_leaves]]
        print(f"node {node}, of {sizes} leaves: support {support:.2f}")

# %%
# Of the three groups of eight, the least sure is merged first, and which one that is changes with
# the rows. So level 3 can be relied on, and level 2 cannot: two of the three were planted as a
# pair, but other ones.

for level in (12, 6, 3, 2):
    is_planted = (tree.cut(level) == planted.cut(level)).all()
    print(f"level {level:2} is {'' if is_planted else 'not '}as planted")
