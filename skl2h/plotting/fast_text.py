"""How wide hundreds of texts are, and a way to draw them fast.

Imports matplotlib, so it is imported inside of functions only.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import findfont
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, Bbox

__all__ = ["Label", "text_widths"]

# Characters that look the same beside all others: of European and East Asian scripts, without
# combining accents.
_SIDE_BY_SIDE = re.compile(r"[ -\u02ff\u0370-\u0482\u048a-\u0587\u2010-\u2027\u3040-\u9fff]+")


class Label(Text):
    """Text that is drawn fast, and as wide on the screen as in print.

    matplotlib makes a new image of each character of a rotated text, and moves it to whole pixels.
    A label fills outlines of the characters instead, which are made once. This is for images: in
    vector graphics a label is drawn like any text. So is a label of several lines, or with a style
    that needs more than outlines.
    """

    def draw(self, renderer):
        """Draw it with the renderer."""
        if not isinstance(renderer, RendererAgg) or not self._is_plain():
            super().draw(renderer)
            return
        if self.get_visible():
            gc = renderer.new_gc()
            gc.set_foreground(self.get_color())
            gc.set_alpha(self.get_alpha())
            gc.set_linewidth(0.0)
            outline, place = self._placed(renderer.points_to_pixels(self.get_fontsize()))
            renderer.draw_path(gc, outline.path, place, gc.get_rgb())
            gc.restore()
        self.stale = False

    def get_window_extent(self, renderer=None, dpi=None):
        """Box around it, in pixels."""
        if dpi is not None or not self._is_plain():
            return super().get_window_extent(renderer, dpi)
        outline, place = self._placed(self.get_fontsize() * self.figure.dpi / 72)
        x, y = (0.0, outline.width), outline.line
        corners = place.transform([[x[0], y[0]], [x[1], y[0]], [x[0], y[1]], [x[1], y[1]]])
        return Bbox([corners.min(axis=0), corners.max(axis=0)])

    def _placed(self, size):
        """Outline of the text, and the transform from size 1 to its size and place."""
        outline = _outline(self.get_text(), *_font_of(self))
        part = {"left": 0.0, "center": 0.5, "right": 1.0}[self.get_horizontalalignment()]
        place = (
            Affine2D()
            .translate(-part * outline.width, -outline.middle)
            .scale(size)
            .rotate_deg(self.get_rotation())
            .translate(*self.get_transform().transform(self.get_unitless_position()))
        )
        return outline, place

    def _is_plain(self):
        text = self.get_text()
        return (
            self.get_verticalalignment() == "center_baseline"
            and self.get_rotation_mode() == "anchor"
            and not (self.get_usetex() or (self.get_parse_math() and "$" in text))
            and not (self.get_clip_on() or self.get_wrap() or self.get_transform_rotates_text())
            and not (self.get_path_effects() or self.get_agg_filter() or self.get_sketch_params())
            and self.get_bbox_patch() is None
            and _SIDE_BY_SIDE.fullmatch(text) is not None
        )


def text_widths(texts, text_kw):
    """Width of each text in a font of size 1, (n_texts,)."""
    font = _font_of(Text(**text_kw))
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    codes, which = np.unique(codes, return_inverse=True)
    advances = np.array([_glyph(chr(code), *font)[2] for code in codes.tolist()])
    of = np.arange(len(texts)).repeat([len(text) for text in texts])
    return np.bincount(of, advances[which], minlength=len(texts))


def _font_of(text):
    """Font of a text in size 1, and the file that has it with the present settings."""
    font = text.get_fontproperties().copy()
    font.set_size(1)
    return font, findfont(font)


class Outline(NamedTuple):
    """Outline of a text in size 1 that starts at (0, 0).

    Attributes
    ----------
    path : Path
    width : float
    middle : float
        Height of the middle of a line.
    line : (float, float)
        Lowest and highest point.
    """

    path: Path
    width: float
    middle: float
    line: tuple


@lru_cache(maxsize=4096)
def _outline(text, font, file):
    glyphs = [_glyph(char, font, file) for char in text]
    ends = np.cumsum([advance for _, _, advance in glyphs])
    starts = np.append(0.0, ends[:-1]).repeat([len(codes) for _, codes, _ in glyphs])
    vertices = np.concatenate([vertices for vertices, _, _ in glyphs])
    vertices[:, 0] += starts
    codes = np.concatenate([codes for _, codes, _ in glyphs])
    descent, top = _line(font, file)
    # The vertices bound the curves between them, whose own extents would take a loop.
    y = vertices[:, 1]
    line = (y.min(initial=-descent), y.max(initial=top))
    return Outline(Path(vertices, codes), ends[-1], top / 2, line)


@lru_cache(maxsize=64)
def _line(font, file):
    """How far a line of text reaches below and above its baseline."""
    _, height, descent = text_to_path.get_text_width_height_descent("lp", font, False)
    return descent, height - descent


# Enough for all characters of 1,000 names in Chinese.
@lru_cache(maxsize=16384)
def _glyph(char, font, file):
    """Vertices and codes of the outline of a character, and the distance to the next character."""
    vertices, codes = text_to_path.get_text_path(font, char)
    vertices = np.asarray(vertices, dtype=np.float64).reshape(-1, 2) / text_to_path.FONT_SCALE
    # Only ink has a width: a space has it between other characters.
    advance = _seen(f"|{char}|", font, file) - _seen("||", font, file)
    return vertices, np.asarray(codes, dtype=Path.code_type), advance


@lru_cache(maxsize=64)
def _seen(text, font, file):
    return text_to_path.get_text_width_height_descent(text, font, False)[0]
