"""A tree as text, tables and nested formats: one plain function per format.

Every ``export_`` function takes a `MergeTree` or a fitted `L2HClustering` first.
"""

from .html_page import export_html
from .nested_json import export_json, from_json
from .newick import export_newick, from_newick
from .tables import export_csv, export_networkx, export_pandas
from .text import export_text

__all__ = [
    "export_csv",
    "export_html",
    "export_json",
    "export_networkx",
    "export_newick",
    "export_pandas",
    "export_text",
    "from_json",
    "from_newick",
]
