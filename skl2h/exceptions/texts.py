"""What comes from outside, as people read it: names of leaves, and values in errors."""

import re
import reprlib
from unicodedata import category

__all__ = [
    "MOST_OF_VALUE",
    "NONCHARACTERS",
    "cut_middle",
    "first_difference",
    "first_few",
    "on_one_line",
    "printable",
    "shown",
    "shown_text",
]

# What Unicode keeps free for the inner use of programs: the last two of each plane, and 32 more.
NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
)

# Control characters, ends of lines, what turns the direction of text, halves of characters, and
# the byte order mark, of which files of PDF and PostScript cannot be made.
_OFF_LINE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
    f"{NONCHARACTERS}]"
)

# Characters of a text that an error repeats, and of a value: with the words around it, as many.
MOST_OF_TEXT, MOST_OF_VALUE = 200, 100


def printable(name):
    """Name as it is, or quoted where it would not be seen or would not stay on its line."""
    return repr(name) if _is_blank(name) or _OFF_LINE.search(name) else name


def _is_blank(name):
    # Format characters, such as a space of no width, leave no trace either.
    return all(letter.isspace() or category(letter) == "Cf" for letter in name)


def on_one_line(text):
    """Text with an escape in place of each character that would leave its line, or turn it."""
    return _OFF_LINE.sub(lambda found: repr(found[0])[1:-1], text)


def shown(value):
    """Value from outside as an error repeats it: as Python writes it, on one line, cut if long."""
    return cut_middle(re.sub(r"\s*\n\s*", " ", _SHORT.repr(value)), MOST_OF_VALUE)


def shown_text(text):
    """Text from outside, such as a path, or an error of another library: on one line, cut if long.

    The lines of an error are joined; in a path, the end of a line is to be seen.
    """
    text = " ".join(str(text).split()) if isinstance(text, Exception) else str(text)
    return cut_middle(printable(text), MOST_OF_TEXT)


def cut_middle(text, most):
    """Text with an ellipsis in its middle, if it is longer: its ends tell it apart."""
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
    """As `repr`, but looks at no more of a value than is shown, and never fails."""

    def __init__(self):
        super().__init__()
        self.maxstring = self.maxlong = self.maxother = 2 * MOST_OF_VALUE

    def repr_int(self, value, level):
        # Python refuses to write out integers of more than 4,300 digits.
        if value.bit_length() > 1000:
            return f"an integer of {value.bit_length()} bits"
        return repr(value)


_SHORT = _Short()
