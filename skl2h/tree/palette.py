"""Colours of groups, the same for every picture and export.

A colour depends on the number of its group alone. The first ten are M. A. Petroff's sequence,
"Accessible Color Sequences for Data Visualization", 2021, arXiv:2107.02270. The ones after are
picked one by one, each as far as can be from all before it in Oklab [1]_, a space in which
distance is about what the eye sees.

.. [1] B. Ottosson, "A perceptual color space for image processing", 2020.
"""

from functools import lru_cache

import numpy as np

from ..exceptions.arguments import as_count

__all__ = ["group_colors"]

PETROFF = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip

# Beyond this number no eye tells all colours apart: more are distinct, but no longer picked.
_N_PICKED = 512

# Lightness that stands out from a white and from a dark page; chroma between grey and neon.
_LIGHTNESS = (0.45, 0.83)
_CHROMA = (0.06, 0.2)


def group_colors(n_groups):
    """Distinct colours for the groups 0 to ``n_groups - 1``.

    Parameters
    ----------
    n_groups : int
        Number of groups, at least 0.

    Returns
    -------
    colors : list of str of length n_groups
        "#rrggbb", no two the same. The first colours do not depend on `n_groups`.

    Raises
    ------
    ValueError
        If `n_groups` is negative or above 1,000,000.
    TypeError
        If `n_groups` is not an integer.

    Examples
    --------
    >>> from skl2h.tree.palette import group_colors
    >>> group_colors(3)
    ['#3f90da', '#ffa90e', '#bd1f01']
    >>> len(set(group_colors(100)))
    100
    """
    n_groups = as_count("n_groups", n_groups, least=0, most=1_000_000)
    if n_groups <= len(PETROFF):
        return list(PETROFF[:n_groups])
    colors = list(_picked())
    if n_groups > len(colors):
        taken = set(colors)
        # About half of the steps of a walk are on colours that are fair.
        spare = (code for code in _hexes(_walk(3 * n_groups)) if code not in taken)
        colors += [next(spare) for _ in range(n_groups - len(colors))]
    return colors[:n_groups]


@lru_cache(maxsize=1)
def _picked():
    """Petroff's ten and the farthest-first ones after them, a tuple of "#rrggbb"."""
    pool = _walk(8192)
    places = _oklab(pool)
    first = _oklab(np.array([int(code[1:], 16) for code in PETROFF]))
    gaps = ((places[:, np.newaxis] - first) ** 2).sum(axis=2).min(axis=1)
    picks = []
    for _ in range(_N_PICKED - len(PETROFF)):
        picks.append(gaps.argmax())
        gaps = np.minimum(gaps, ((places - places[picks[-1]]) ** 2).sum(axis=1))
    return PETROFF + tuple(_hexes(pool[picks]))


def _walk(n_steps):
    """Distinct 24-bit colours of fair lightness and chroma, spread evenly, (at most n_steps,)."""
    # An odd step visits each of the 2**24 colours once; this one is 2**24 over the golden ratio.
    codes = np.arange(1, n_steps + 1, dtype=np.int64) * 10368889 % 2**24
    lightness, a, b = _oklab(codes).T
    chroma = np.hypot(a, b)
    fair = (lightness > _LIGHTNESS[0]) & (lightness < _LIGHTNESS[1])
    return codes[fair & (chroma > _CHROMA[0]) & (chroma < _CHROMA[1])]


def _oklab(codes):
    """Lightness, green-red and blue-yellow of 24-bit colours, (n_colors, 3)."""
    srgb = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1) / 255
    linear = np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)
    cones = linear @ [
        [0.4122214708, 0.2119034982, 0.0883024619],
        [0.5363325363, 0.6806995451, 0.2817188376],
        [0.0514459929, 0.1073969566, 0.6299787005],
    ]
    return np.cbrt(cones) @ [
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ]


def _hexes(codes):
    return [f"#{code:06x}" for code in codes.tolist()]
