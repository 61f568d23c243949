"""Arguments of pictures: one clear error for each that cannot be drawn, before anything is."""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from ..exceptions.arguments import as_choice, as_index
from ..exceptions.texts import shown, shown_text
from ..tree.merge_tree import MergeTree
from ..tree.names import check_texts_by_node

__all__ = [
    "check_drawable",
    "check_node_labels",
    "check_style",
]


def check_drawable(display, ax):
    """Refuse to draw without matplotlib, what is not a tree, or on other axes than flat ones."""
    name = type(display).__name__
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError(f'{name}.plot needs matplotlib: pip install "skl2h[plot]"') from None
    if not isinstance(display.tree, MergeTree):
        raise TypeError(
            f"{name} needs a MergeTree, got {shown(display.tree)}: see {name}.from_estimator for a "
            "fitted model."
        )
    _check_axes(ax)


def check_node_labels(node_labels):
    """Labels as a bool, "support" or a dict of str by node, of a dict or a Series."""
    if isinstance(node_labels, str):
        as_choice("node_labels, if it is a text,", node_labels, ("support",))
    elif isinstance(node_labels, Mapping) or hasattr(node_labels, "iloc"):
        node_labels = check_texts_by_node("node_labels", node_labels)
        for node in node_labels:
            as_index("node_labels, where it names a merge,", node)
    elif not isinstance(node_labels, (bool, np.bool_)):
        raise TypeError(
            "node_labels must be True, False, 'support' or a dict {node: text}, got "
            f"{shown(node_labels)}."
        )
    return node_labels


def check_style(name, style, artist, make):
    """Keywords of a style in one spelling, once they have made an artist."""
    from matplotlib.cbook import normalize_kwargs

    if not isinstance(style, (Mapping, type(None))):
        raise TypeError(f"{name} must be a dict or None, got {shown(style)}.")
    try:
        style = normalize_kwargs(style, artist)
        make(**style)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is no style of a {artist.__name__}: {shown_text(error)}"
        ) from error
    size = style.get("fontsize")
    if isinstance(size, Real) and not 0 < size < np.inf:
        raise ValueError(f"{name} must have a fontsize above 0, got {shown(size)}.")
    return style


def _check_axes(ax):
    """Refuse what is no axes of two straight, linear directions."""
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax must be matplotlib Axes or None, got {type(ax).__name__}.")
    if ax is not None and ax.name != "rectilinear":
        raise ValueError(
            f"ax must be rectilinear axes, as subplots() makes them, got {ax.name} axes."
        )
    for name in "xy" if ax is not None else "":
        scale = getattr(ax, f"get_{name}scale")()
        if scale != "linear":
            raise ValueError(
                f"ax must have linear scales, got a {scale} one: ax.set_{name}scale('linear')."
            )
