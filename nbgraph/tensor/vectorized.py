"""vectorize: a function of single elements, made a function of whole batches.

    cross = nt.vectorize(lambda x, y: nt.outer(x, y), "(n),(m)->(n,m)")
    cross(xs, ys)      xs: float64[b, n]   ys: float64[b, m]      float64[b, n, m]

The function is called once, with variables that have the axes of the signature; `vectorize_graph` adds the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import nbgraph.tensor as nt
from nbgraph.errors import ArgumentError, ShapeError
from nbgraph.graph.source import user_line
from nbgraph.tensor.batching import deciding_axes, vectorize_graph
from nbgraph.tensor.purpose import purpose
from nbgraph.tensor.type import TensorType

_NAME = r"[^\W\d]\w*"
_OPERAND = rf"\((?:{_NAME}(?:,{_NAME})*)?\)"
_WHOLE = re.compile(rf"(?:{_OPERAND}(?:,{_OPERAND})*)?->{_OPERAND}(?:,{_OPERAND})*")

Axes = tuple[str, ...]


@dataclass(frozen=True)
class Signature:
    """The names of the axes of each input and output."""

    text: str
    inputs: tuple[Axes, ...]
    outputs: tuple[Axes, ...]


def parsed(text: str) -> Signature:
    """A signature as NumPy writes them: (n,k),(k)->(n)

    Raises
    ------
    ValueError   it is none
    """
    bare = re.sub(r"\s", "", text) if isinstance(text, str) else ""
    if not _WHOLE.fullmatch(bare):
        raise ValueError(f"vectorize: {text!r} is no signature; write the axes of each input and output by name, "
                         f"such as '(n,k),(k)->(n)' or '(),()->()'")
    inputs, outputs = (tuple(tuple(re.findall(_NAME, operand)) for operand in re.findall(_OPERAND, side))
                       for side in bare.split("->"))
    return Signature(bare, inputs, outputs)


def vectorize(pyfunc: Callable[..., Any], signature: str | None = None) -> Callable[..., Any]:
    """A function that does for a whole batch what `pyfunc` does for one element of it.

    Parameters
    ----------
    pyfunc : callable             symbolic variables -> a variable, or several
    signature : str, optional     the axes that `pyfunc` looks at, by name: "(n),(m)->(n,m)". Axes of one name have one
                                  length. None: all its arguments and results are scalars.

    Returns
    -------
    callable    takes arrays and variables whose last axes are those of the signature; the axes before them are the
                batch, and broadcast as in NumPy where a length is known to be 1 when the graph is built. Each result
                has all batch axes, then the axes that the signature gives it.

    Raises
    ------
    ValueError      `signature` is none
    ArgumentError   (when called) another number of arguments or results than the signature has
    ShapeError      (when called, or at run time) too few axes, lengths that differ
    BatchError      (when called) an Op of `pyfunc` that has no batches

    Examples
    --------
    >>> import nbgraph.tensor as nt
    >>> norm = vectorize(lambda x: nt.sqrt(nt.sum(x * x)), "(n)->()")
    >>> norm(nt.dmatrix("x")).type
    TensorType(float64, shape=(None,))
    """
    given = None if signature is None else parsed(signature)

    def vectorized(*args: Any) -> Any:
        wanted = given or Signature("", ((),) * len(args), ())
        if len(args) != len(wanted.inputs):
            raise ArgumentError("vectorize", f"{wanted.text} takes {len(wanted.inputs)} arguments, got {len(args)}",
                                line=user_line(), fix="give an array for each input of the signature")
        return _Application(wanted, [nt.as_tensor_variable(a) for a in args]).results(pyfunc)

    vectorized.__name__ = getattr(pyfunc, "__name__", "vectorized")
    vectorized.__doc__ = getattr(pyfunc, "__doc__", None)
    return vectorized


class _Application:
    """One call of a vectorised function.

    counts     how many batch axes each argument has
    lengths    name of an axis -> (length, (argument, axis) that has it), a known length where there is one
    """

    def __init__(self, signature: Signature, arguments: Sequence[Any]) -> None:
        self.signature, self.arguments = signature, list(arguments)
        self.label = f"vectorize {signature.text}".rstrip()
        for axes, x in zip(signature.inputs, arguments, strict=True):
            if x.type.ndim < len(axes):
                raise self._error(f"an argument of type {x.type} has fewer axes than ({','.join(axes)})",
                                  "give it the axes of the signature, with those of the batch in front")
        self.counts = [x.type.ndim - len(axes) for x, axes in zip(arguments, signature.inputs, strict=True)]
        self.lengths = self._lengths()
        self.arguments = [self._agreed(i) for i in range(len(self.arguments))]

    def _error(self, what: str, fix: str) -> ShapeError:
        return ShapeError(self.label, what, line=user_line(), fix=fix,
                          **{f"x{i}": x for i, x in enumerate(self.arguments)})

    def _lengths(self) -> dict[str, tuple[Any, tuple[int, int]]]:
        """The length of each axis of the signature.

        Raises
        ------
        ShapeError   two known lengths of one name differ
        """
        found: dict[str, tuple[Any, tuple[int, int]]] = {}
        for i, (x, axes) in enumerate(zip(self.arguments, self.signature.inputs, strict=True)):
            for place, name in enumerate(axes, start=self.counts[i]):
                n, (known, (first, _)) = x.type.shape[place], found.get(name, (None, (i, place)))
                if n is not None and isinstance(known, int) and n != known:
                    raise self._error(f"axis {name} has length {known} in argument {first} and {n} in argument {i}",
                                      "axes of one name must have the same length")
                if name not in found or (n is not None and not isinstance(known, int)):
                    found[name] = (nt.lengths_of(x)[place] if n is None else n), (i, place)
        return found

    def _agreed(self, position: int) -> Any:
        """An argument whose axes have the lengths that axes of the same name have elsewhere, checked at run time."""
        x, count = self.arguments[position], self.counts[position]
        wanted: list[Any] = [None] * count
        for place, name in enumerate(self.signature.inputs[position], start=count):
            length, owner = self.lengths[name]
            wanted.append(None if owner == (position, place) else length)
        told = purpose(self.label, f"axis {{axis}} of argument {position} has length {{actual}}, an axis of the same "
                       "name has {wanted}", "axes of one name must have the same length", x=x)
        return nt.specify_shape(x, wanted, told)

    def results(self, pyfunc: Callable[..., Any]) -> Any:
        """What the function gives for the arguments."""
        elements = [TensorType(x.type.dtype, x.type.shape[count:])() for x, count in
                    zip(self.arguments, self.counts, strict=True)]
        built = pyfunc(*elements)
        several = isinstance(built, (list, tuple))
        outputs = [nt.as_tensor_variable(z) for z in (built if several else [built])]
        self._check(outputs)
        found = vectorize_graph(outputs, list(zip(elements, self.arguments, strict=True)))
        whole = [self._spread(z.type.ndim, new) for z, new in zip(outputs, found, strict=True)]
        return type(built)(whole) if several else whole[0]

    def _check(self, outputs: Sequence[Any]) -> None:
        """The results of the function are what the signature says.

        Raises
        ------
        ArgumentError   another number of results
        ShapeError      another number of axes, or another known length
        """
        expected = self.signature.outputs if self.signature.text else ((),) * len(outputs)
        if len(expected) != len(outputs):
            raise ArgumentError(self.label, f"the function gave {len(outputs)} results, the signature has "
                                f"{len(expected)}", line=user_line(), fix="return a tuple of as many variables")
        for k, (z, axes) in enumerate(zip(outputs, expected, strict=True)):
            known = [self.lengths[name][0] if name in self.lengths else None for name in axes]
            if z.type.ndim != len(axes) or any(isinstance(n, int) and m not in (None, n)
                                               for n, m in zip(known, z.type.shape, strict=True)):
                raise self._error(f"result {k} of the function has type {z.type}, the signature says "
                                  f"({','.join(axes)})", "return what the signature says, or correct it" if
                                  self.signature.text else "give a signature where the function looks at axes")

    def _spread(self, core: int, z: Any) -> Any:
        """A result with all batch axes: repeated along those that it does not depend on."""
        count = max(self.counts, default=0)
        if not count:
            return z
        lengths = [nt.lengths_of(self.arguments[i])[axis] for i, axis in deciding_axes(self.arguments, self.counts)]
        wide = nt.shape_padleft(z, count + core - z.type.ndim)
        return nt.broadcast_to(wide, (*lengths, *nt.lengths_of(wide)[count:]))
