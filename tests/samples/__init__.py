"""Samples of every Op and of every row of the scalar table, for `tests/test_every_op.py`.

To add an Op, add a Row to the file of its family; the meta-test says what is missing.
"""

from tests.samples import elementwise
from tests.samples.case import RTOL, Case, Failure, Row, Values

ROWS: dict[str, Row] = {row.name: row for family in (elementwise,) for row in family.rows()}

__all__ = ["ROWS", "RTOL", "Case", "Failure", "Row", "Values"]
