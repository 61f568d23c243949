"""The rules of merging: how sure the model is of a group, by the names that users give.

A score is a mass less a doubt, kept apart: of a confident model the scores are all equal in
float64, the doubts are not. Both are functions of the total weight of some rows, a number above
0, and of the sum of their doubts, each times its weight.
"""

from typing import NamedTuple

from ..exceptions.arguments import as_choice

__all__ = ["AGGREGATIONS", "Aggregation", "check_aggregation"]


class Aggregation(NamedTuple):
    """How a group is scored.

    Attributes
    ----------
    score : callable
        Mass and doubt, of the total weight of the rows and the sum of their doubts.
    adds_up : bool
        Whether these are taken of each leaf and added up, or of all rows of a group.
    unit : {0, 1}
        The score is in the unit of the weights to the power of this.
    """

    score: object
    adds_up: bool
    unit: int

    def of_rows(self, total, doubts):
        """Mass and doubt of rows; both are 0 where there are none."""
        return self.score(total, doubts) if total else (0, 0.0)


def _of_means(total, doubts):
    return 1, doubts / float(total)


def _of_sums(total, doubts):
    return total, doubts


AGGREGATIONS = {
    "sum_of_means": Aggregation(_of_means, adds_up=True, unit=0),
    "sum": Aggregation(_of_sums, adds_up=True, unit=1),
    "mean": Aggregation(_of_means, adds_up=False, unit=0),
}


def check_aggregation(aggregation):
    """Refuse what is no way to score a group."""
    as_choice("aggregation", aggregation, AGGREGATIONS)
