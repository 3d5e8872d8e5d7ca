"""Samples of the Ops that give their input back, and only change derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import nbgraph.tensor as nt
from nbgraph.gradient.blocks import ConsiderConstant, DisconnectedGrad, GradClip, GradScale, UndefinedGrad, ZeroGrad
from nbgraph.graph.op import Op
from nbgraph.tensor import dtypes
from nbgraph.tensor.special import HeldConstant
from tests.samples.case import Case, Row, draw, specials, tensor, values

CHANGED = "it is there to give another gradient than that of its value; tests/gradient/test_blocks.py says which"


def rows() -> list[Row]:
    """A Row for each of them."""
    ops: tuple[Op, ...] = (HeldConstant(), ConsiderConstant(), ZeroGrad(), DisconnectedGrad(), UndefinedGrad(),
                           GradClip(-1, 1), GradScale(2))
    return [Row(type(op).__name__, partial(cases, op), (type(op),), no_gradient=CHANGED) for op in ops]


def cases(op: Callable[..., Any]) -> Iterator[Case]:
    """Every dtype; 0-d; of what is computed, and computed with further."""
    for dtype in dtypes.ALL:
        if dtype in dtypes.COMPLEX and isinstance(op, GradClip):
            continue
        yield Case(dtype, op, (tensor(dtype, None),),
                   (values("3", draw(dtype, (3,))), values("edges", specials(dtype)), values("0", draw(dtype, (0,)))),
                   lambda x: x, differentiate=False)
    yield Case("0-d", op, (tensor("float64"),), (values("0-d", 1.5),), lambda x: x, differentiate=False)
    yield Case("between", lambda x: nt.exp(op(x * 2)) + op(x), (tensor("float64", None, None),),
               (values("2 x 3", draw("float64", (2, 3))),), lambda x: np.exp(x * 2) + x, differentiate=False)
