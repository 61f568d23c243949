"""
Choosing a level, and support
=============================

Which level of a tree should you take, and which merges would other rows give as well?
"""

# %%
# A planted hierarchy
# -------------------
# There are 24 leaves in 12 pairs, 6 groups of four, and 3 groups of eight, two of which form a
# pair.

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
# ``n_clusters="auto"`` took the level that says most about where the rows would go. Here are the
# best levels, and how much each adds to those before it:

levels, gains = suggest_levels(model, logits)
for level, gain in zip(levels, gains):
    print(f"level {level:2}: {gain:.3f}")

# %%
# The levels of pairs, fours and eights come first, and the others add nothing.
#
# Support
# -------
# Rows are drawn with replacement, fifty times, and a tree is made from each draw. The support of a
# merge is the share of these trees that have its group.

tree = bootstrap_support(model, logits, n_resamples=50, random_state=0)
DendrogramDisplay.from_tree(tree, level=model.n_clusters_, node_labels="support")

# %%
# You can rely on merges with support near 1. If it is low, other rows of the same kind would give
# other groups: do not use such a group, but take a level with more groups.

for node, support in enumerate(tree.support, tree.n_leaves):
    if support < 0.5:
        sizes = tree.sizes[tree.children[node - tree.n_leaves]]
        print(f"node {node}, of {sizes} leaves: support {support:.2f}")

# %%
# Of the three groups of eight, the least sure is merged first, and which group that is changes with
# the rows. So you can rely on level 3, but not on level 2: another two of the three groups were
# planted as a pair.

for level in (12, 6, 3, 2):
    is_planted = (tree.cut(level) == planted.cut(level)).all()
    print(f"level {level:2} is {'' if is_planted else 'not '}as planted")
