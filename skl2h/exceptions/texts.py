"""Texts and values from outside in a form that people can read, for errors and exports."""

import re
import reprlib
from unicodedata import category

__all__ = [
    "MOST_OF_VALUE",
    "NONCHARACTERS",
    "cut_middle",
    "escaped",
    "first_difference",
    "first_few",
    "printable",
    "shown",
    "shown_text",
]

# Characters that Unicode reserves for internal use: the last two of each plane, and 32 others.
NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
)

# Control characters, line breaks, marks that change the direction of text, halves of characters,
# and the byte order mark, with which PDF and PostScript files cannot be written.
_OFF_LINE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
    f"{NONCHARACTERS}]"
)

# The most characters of a text, and of a value, that an error repeats.
MOST_OF_TEXT, MOST_OF_VALUE = 200, 100


def printable(name):
    """Name as it is, or quoted if it is invisible or would not stay on its line."""
    return repr(name) if _is_blank(name) or _OFF_LINE.search(name) else name


def _is_blank(name):
    # Format characters, such as a space of no width, leave no trace either.
    return all(letter.isspace() or category(letter) == "Cf" for letter in name)


def escaped(text):
    """Text with an escape for each character that would break its line or change its direction."""
    return _OFF_LINE.sub(lambda found: repr(found[0])[1:-1], text)


def shown(value):
    """Value for an error: as Python writes it, on one line, and cut if it is long."""
    return cut_middle(re.sub(r"\s*\n\s*", " ", _SHORT.repr(value)), MOST_OF_VALUE)


def shown_text(text):
    """Text or error from outside, such as a path, for an error: on one line, and cut if it is long.

    The lines of an error are joined; in a path, a line break is shown as an escape.
    """
    text = " ".join(str(text).split()) if isinstance(text, Exception) else str(text)
    return cut_middle(printable(text), MOST_OF_TEXT)


def cut_middle(text, most):
    """Text of at most `most` characters: a longer one has an ellipsis in its middle."""
    if len(text) <= most:
        return text
    n_last = (most - 1) // 2
    return f"{text[: most - 1 - n_last]}…{text[len(text) - n_last :]}"


def first_difference(names, leaves):
    """Place of the first name that is not that of its leaf, and both as an error repeats them."""
    at = next(at for at, pair in enumerate(zip(names, leaves)) if pair[0] != pair[1])
    return at, shown(names[at]), shown(leaves[at])


def first_few(values, most=3, show=shown):
    """The first of a list of values, and how many more there are."""
    more = len(values) - most
    return ", ".join(map(show, values[:most])) + (f" and {more} more" if more > 0 else "")


class _Short(reprlib.Repr):
    """Like `repr`, but reads only as much of a value as is shown, and never fails."""

    def __init__(self):
        super().__init__()
        self.maxstring = self.maxlong = self.maxother = 2 * MOST_OF_VALUE

    def repr_int(self, value, level):
        # Python refuses to write out integers of more than 4,300 digits.
        if value.bit_length() > 1000:
            return f"an integer of {value.bit_length()} bits"
        return repr(value)


_SHORT = _Short()
