"""What does the law say to these numbers? Rule books, kinds of rule, evaluation, land classes.

Works on numbers only: no geometry library is imported here, and no place is named here.
"""

from gis.rulebook.describe import describe
from gis.rulebook.evaluate import contacts, decide, demands, evaluate, sort_findings
from gis.rulebook.facts import Facts
from gis.rulebook.kinds import demands_of
from gis.rulebook.loader import RuleBook, load_rulebook

__all__ = [
    "Facts",
    "RuleBook",
    "contacts",
    "decide",
    "demands",
    "demands_of",
    "describe",
    "evaluate",
    "load_rulebook",
    "sort_findings",
]
