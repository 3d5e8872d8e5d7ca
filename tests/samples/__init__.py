"""Samples of every Op and of every row of the scalar table, for `tests/test_every_op.py`.

To add an Op, add a Row to the file of its family; the last tests there say what is missing.
"""

from tests.samples import creation, elementwise, identities, indexing, inner, join, linear, reduction, shape
from tests.samples.case import RTOL, Case, Failure, Row, Values

FAMILIES = (elementwise, shape, reduction, creation, indexing, join, linear, identities, inner)
ROWS: dict[str, Row] = {row.name: row for family in FAMILIES for row in family.rows()}

__all__ = ["ROWS", "RTOL", "Case", "Failure", "Row", "Values"]
