"""Runs examples written as an interpreter session and compares what they print with what they say, whitespace aside.

    run('''
    >>> 1 + 1
    2
    ''', {})
"""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np


class _Checker(doctest.OutputChecker):
    """Outputs are equal where they are without any whitespace."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return "".join(want.split()) == "".join(got.split())


def run(text: str, namespace: dict[str, Any], legacy: str | bool = "1.13") -> int:
    """Run the examples of `text` in `namespace`, arrays printed as old NumPy did; gives how many there were.

    Raises
    ------
    AssertionError   an example prints something else, or raises
    """
    examples = doctest.DocTestParser().get_doctest(text, namespace, "example", None, None)
    # The parser copies the namespace; examples are to leave their names in ours.
    examples.globs = namespace
    report: list[str] = []
    runner = doctest.DocTestRunner(_Checker(), verbose=False)
    with np.printoptions(legacy=legacy):
        runner.run(examples, out=report.append, clear_globs=False)
    assert not report, "".join(report)
    return len(examples.examples)
