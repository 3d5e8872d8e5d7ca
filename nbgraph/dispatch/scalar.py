"""What generated code writes for a scalar function of given dtypes: an infix operator, or the name of a kernel.

    resolve("+", ("float64", "float64"), "float64")           "+"
    resolve("+", ("bool", "bool"), "bool")                    "|"
    resolve("exp", ("float32",), "float32")                   "nbgraph.dispatch.vmath.exp"
    resolve("identity", ("float64",), "uint8")                "nbgraph.dispatch.scalar_logic.to_uint8"
    resolve("sum", ("float64", "float64"), "float64")         "nbgraph.dispatch.scalar_combine.add"

Functions of users are called by the name that `user_code` gives them; a kernel may also be given by its dotted name.

Operands come in the dtypes that are named. An operator on small integers gives 64 bits, which the caller wraps.
Nothing here imports Numba.
"""

from __future__ import annotations

from nbgraph.errors import KernelError
from nbgraph.tensor import dtypes

_HERE = "nbgraph.dispatch."
USER_CODE = f"{_HERE}user_code."
_INFIX = ("+", "-", "*", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^")
# Operators that mean something else for booleans; the reductions among them are functions of (accumulator, value).
_OF_BOOLEANS = {"+": "|", "*": "&", "sum": "|", "prod": "&", "max": "|", "min": "&", "all": "&", "any": "|",
                "argmax_better": ">", "argmin_better": "<"}
_OF_INTEGERS = {"sum": "+", "prod": "*", "argmax_better": ">", "argmin_better": "<"}
# Vectorised kernels; complex operands have kernels of `scalar_math`.
_VMATH = ("exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus", "exp2", "log2", "log10", "arctan", "arcsin",
          "arccos", "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "arctan2", "sin", "cos", "tan", "erf", "erfc",
          "log1mexp", "logaddexp", "gammaln", "digamma", "power", "erfinv")
_OF_FLOATS = {"true_divide": "/", **{name: f"vmath.{name}" for name in _VMATH}}
_OF_COMPLEX = {"<": "scalar_complex.less", "<=": "scalar_complex.less_equal", ">": "scalar_complex.greater",
               ">=": "scalar_complex.greater_equal", "*": "scalar_complex.multiply"}
_ARITHMETIC = ("floor_divide", "mod", "power", "neg", "sign", "reciprocal", "square", "floor", "ceil",
               "trunc", "round_half_to_even", "round_half_away_from_zero", "maximum", "minimum", "clip")
_MATH = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan", "arcsin", "arccos",
         "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "deg2rad", "rad2deg")
_LOGIC = ("logical_and", "logical_or", "logical_xor", "logical_not", "invert", "left_shift", "right_shift", "isnan",
          "isinf", "isfinite", "switch")
_COMPLEX = ("real", "imag", "conj", "angle", "true_divide")
_KERNELS = {
    **{name: f"scalar_arithmetic.{name}" for name in _ARITHMETIC},
    **{name: f"scalar_math.{name}" for name in _MATH},
    **{name: f"scalar_logic.{name}" for name in _LOGIC},
    **{name: f"scalar_complex.{name}" for name in _COMPLEX},
    **{name: f"scalar_combine.{name}" for name in ("argmax_better", "argmin_better", "rounding", "settled",
                                                     "inverse", "inverse_scale")},
    "abs": "scalar_arithmetic.absolute", "complex": "scalar_complex.from_parts",
    "polygamma": "scalar_special.polygamma",
    "pieces_of": "cores.pieces_of",
    "sum": "scalar_combine.add", "prod": "scalar_combine.multiply",
    "max": "scalar_combine.larger", "min": "scalar_combine.smaller", "all": "&", "any": "|",
    **{operator: operator for operator in _INFIX},
}
_BY_KIND = [(dtypes.BOOLS, _OF_BOOLEANS), (dtypes.INTEGERS, _OF_INTEGERS), (dtypes.FLOATS, _OF_FLOATS),
            (dtypes.COMPLEX, _OF_COMPLEX)]


def resolve(kernel: str, operand_dtypes: tuple[str, ...], dtype: str) -> str:
    """The operator or the dotted name of the function for a kernel of the scalar table, or for a reduction.

    Parameters
    ----------
    kernel : str            as in `ScalarFunction.kernel`, or "sum", "prod", "max", "min", "all", "any" of (accumulator,
                            value), or "argmax_better", "argmin_better" of (value, best)
    operand_dtypes : str    what the operands are cast to
    dtype : str             of the result

    Returns
    -------
    str    an operator between two operands; a dotted name; "" for an identity that an ordinary cast does

    Raises
    ------
    KernelError   no such kernel
    """
    if kernel == "identity":
        return _cast(operand_dtypes[0], dtype)
    if kernel.startswith(_HERE):
        return kernel
    for kinds, special in _BY_KIND:
        if operand_dtypes[-1] in kinds and kernel in special:
            return _full(special[kernel])
    if kernel not in _KERNELS:
        raise KernelError(None, f"no scalar kernel is named {kernel!r}",
                          fix="give the row of the scalar table a kernel of nbgraph.dispatch.scalar")
    return _full(_KERNELS[kernel])


def _full(name: str) -> str:
    return _HERE + name if "." in name else name


def _cast(source: str, target: str) -> str:
    if source in dtypes.FLOATS and target in dtypes.INTEGERS:
        return f"{_HERE}scalar_logic.to_{target}"
    return ""
