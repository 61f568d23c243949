"""A tree as one interactive page.

The page is made of the files in ``page/``, which do not change, and one element of data. Nothing of
the tree stands elsewhere but the title: names are data for the script, and never markup.
"""

import base64
import hashlib
import json
from importlib.resources import files
from string import Template

from ..exceptions.arguments import check_text
from ..tree.checks import check_level
from ..tree.heights import word_for_scores
from ..tree.notebook import as_text
from ..tree.palette import group_colors
from ..tree.tree_of import model_of, tree_of

__all__ = ["export_html"]

# The parts of the script, by subject. They share one scope. When a part is run, it may use only
# what the parts before it define; its functions may use all.
SCRIPTS = (
    "state.js",
    "words.js",
    "tree.js",
    "level.js",
    "search.js",
    "details.js",
    "icicle.js",
    "tip.js",
    "page.js",
)


def export_html(tree, *, title=None, level=None):
    """One self-contained page: a collapsible tree and an icicle, to explore in a browser.

    Parameters
    ----------
    tree : MergeTree or fitted L2HClustering
        What to write.
    title : str, default=None
        Title of the page; None says how many leaves there are.
    level : int, default=None
        Number of groups shown at first, from 1 to `n_leaves`. None takes the `n_clusters_` of an
        estimator that groups its leaves, and otherwise 10, or all leaves of a smaller tree.

    Returns
    -------
    text : str
        A whole HTML document, of ASCII characters only. The same tree gives the same text.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If `tree` is not a tree, the level is not an integer, or the title is not a text.
    ValueError
        If there is no such level.

    Notes
    -----
    The page loads nothing from any network, and its Content-Security-Policy lets it run only its
    own script, so names may hold anything. Groups have the colours and numbers of
    :meth:`~skl2h.MergeTree.cut` at the level of the slider. The score of a merge of an affinity
    tree is called its height. Lines and rectangles show levels, not scores.

    Examples
    --------
    >>> from skl2h import MergeTree
    >>> from skl2h.export import export_html
    >>> tree = MergeTree([(0, 2), (1, 3)], scores=[0.5, 0.75], names=["cat", "car", "dog"])
    >>> page = export_html(tree, title="Pets & more")
    >>> page.splitlines()[0]
    '<!DOCTYPE html>'
    >>> "<title>Pets &amp; more</title>" in page
    True
    """
    model, tree = model_of(tree), tree_of(tree)
    if level is None:
        level = getattr(model, "n_clusters_", tree.n_leaves)
        if level == tree.n_leaves:
            level = min(level, 10)
    level = check_level(tree, level)
    if title is not None:
        title = check_text("title", title)
    else:
        title = f"Tree of {tree.n_leaves:,} {'leaf' if tree.n_leaves == 1 else 'leaves'}"
    fields = {
        "level": level,
        "names": tree.names,
        "children": tree.children.ravel().tolist(),
        "scores": None if tree.scores is None else tree.scores.tolist(),
        "word_for_scores": word_for_scores(tree),
        "counts": None if tree.counts is None else tree.counts.tolist(),
        "colors": "".join(group_colors(tree.n_leaves)).replace("#", ""),
    }
    if tree.support is not None:
        fields["support"] = tree.support.tolist()
    style = _part("page.css")
    script = '\n"use strict";\n(() => {\n' + "\n".join(map(_part, SCRIPTS)) + "})();\n"
    page = Template(_part("page.html")).substitute(
        title=as_text(title),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=_as_data(fields),
    )
    return page


def _part(name):
    return files("skl2h.export").joinpath("page", name).read_text(encoding="utf-8")


def _hash(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _as_data(fields):
    # JSON in ASCII, so that line separators and halves of characters are escaped. The three
    # characters occur only within strings, and could end the element.
    text = json.dumps(fields, allow_nan=False, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
