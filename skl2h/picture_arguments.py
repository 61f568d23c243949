"""Arguments of pictures: one clear error for each that cannot be drawn, before anything is."""

from collections.abc import Mapping

__all__ = ["check_axes", "check_one_of", "check_style"]


def check_one_of(name, value, allowed):
    """Refuse what is none of the allowed values."""
    if not any(value is one or (isinstance(value, str) and value == one) for one in allowed):
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}.")


def check_axes(ax):
    """Refuse what is no axes of two straight directions."""
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax must be matplotlib Axes or None, got {type(ax).__name__}.")
    if ax is not None and ax.name != "rectilinear":
        raise ValueError(
            f"ax must be rectilinear axes, as subplots() makes them, got {ax.name} axes."
        )


def check_style(name, style, artist, make):
    """Keywords of a style in one spelling, once they have made an artist."""
    from matplotlib.cbook import normalize_kwargs

    if not isinstance(style, (Mapping, type(None))):
        raise TypeError(f"{name} must be a dict or None, got {style!r}.")
    try:
        style = normalize_kwargs(style, artist)
        make(**style)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is no style of a {artist.__name__}: {error}") from error
    return style
