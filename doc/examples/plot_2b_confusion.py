"""
The tree of a confusion matrix
==============================

All you have is a confusion matrix: of your own model, or from a paper. Which classes are confused
with which, and which groups do they form?
"""

# %%
# The matrix
# ----------
# It is that of a naive Bayes classifier on digits, each of which is predicted by a model that has
# not seen it. From here on the matrix is all that is used.

from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

digits = load_digits()
X, y = digits.data / 16, digits.target
classifier = GaussianNB(var_smoothing=0.01)
matrix = confusion_matrix(y, cross_val_predict(classifier, X, y))
print(f"accuracy {matrix.trace() / matrix.sum():.2f}")
print(matrix)

# %%
# Its tree
# --------
# Classes that are taken for each other, or for the same others, more often than by chance are
# joined first. The diagonal, of what is right, is not used. A height is how far apart two groups
# are.

from skl2h import DendrogramDisplay, confusion_tree, suggest_levels
from skl2h.export import export_text

tree = confusion_tree(matrix)
print(export_text(tree, decimals=1))

# %%
# A level of it
# -------------
# The matrix also says which level to take: the one whose groups keep most mistakes among
# themselves, compared with what groups of these sizes would keep by chance. The first is the
# best.

levels, gains = suggest_levels(tree, matrix, input="confusion", n_levels=3)
print("levels", levels, "with gains", gains.round(3))
level = levels[0]
display = DendrogramDisplay.from_tree(tree, level=level)

# %%
# The picture
# -----------
# The same matrix, in the order of its tree: groups are blocks along the diagonal. What is outside
# of them are mistakes between groups. As in scikit-learn, a line is a true class and a column
# what it was taken for.

from skl2h import ProfileMatrixDisplay

display = ProfileMatrixDisplay.from_confusion(matrix, level=level)

# %%
# With the logits
# ---------------
# A class that is hardly ever mistaken has few mistakes to tell where it belongs: here the digit 6
# has six. In the logits every row says where else it would go, so take
# :func:`~skl2h.affinity_tree` if you have them. There 6 stands with 0 and 4, not with 5. What
# both trees have in common:

from skl2h import affinity_tree
from skl2h.metrics import shared_clades

probabilities = cross_val_predict(classifier, X, y, method="predict_log_proba")
of_logits = affinity_tree(probabilities)
print(f"mistakes: {matrix.sum() - matrix.trace()} of {len(y)} rows")
print(f"share of common clades: {shared_clades(tree, of_logits):.2f}")
print(export_text(of_logits, decimals=1))
