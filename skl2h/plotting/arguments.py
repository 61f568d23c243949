"""Arguments of pictures: a clear error for each that cannot be drawn, before anything is drawn."""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from ..exceptions.arguments import as_choice, as_floats, as_index
from ..exceptions.texts import shown, shown_text
from ..tree.checks import check_texts_by_node
from ..tree.merge_tree import MergeTree

__all__ = [
    "check_colormap",
    "check_drawable",
    "check_node_labels",
    "check_profiles",
    "check_style",
]


def check_drawable(display, ax):
    """Refuse to draw without matplotlib, without a tree, or on axes that do not suit a display."""
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
    """Labels of merges as a bool, "support" or a dict of str by node, which may be a Series."""
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


def check_profiles(profiles, n_leaves):
    """Matrix of profiles as float64."""
    profiles = as_floats("profiles", profiles)
    if profiles.shape != (n_leaves, n_leaves):
        raise ValueError(
            f"profiles must have the shape ({n_leaves}, {n_leaves}), got {profiles.shape}."
        )
    bad = np.argwhere(~(np.isfinite(profiles) & (profiles >= 0)))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"profiles must be finite and at least 0, but profiles[{i}, {j}] is {profiles[i, j]}."
        )
    return profiles


def check_colormap(cmap):
    """Colormap of matplotlib, of its name or itself."""
    from matplotlib import pyplot

    try:
        return pyplot.get_cmap(cmap)
    except (TypeError, ValueError):
        raise ValueError(
            "cmap must be the name of a colormap of matplotlib, such as 'viridis', or a "
            f"Colormap, got {shown(cmap)}."
        ) from None


def check_style(name, style, artist, make):
    """Keywords of a style by their full names, after `make` has made an artist with them."""
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
    """Refuse axes that are not rectilinear with linear scales."""
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
