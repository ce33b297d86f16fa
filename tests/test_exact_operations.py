"""What reaches a digest is made of operations that every machine rounds alike.

IEEE 754 and integer arithmetic define ``+ - * / sqrt``, roundings, comparisons, shifts and
conversions to the last bit.  Powers, exponentials and their kin are a library's, sums over the last
axis NumPy's, products of matrices BLAS's: their last bits differ between processors.  So modules
whose numbers reach a digest do without them; ``kavg/elementary`` has functions in their place.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kavg

ROOT = Path(kavg.__file__).parent

PLACES = (
    *("aggregations", "elementary", "engine", "measures", "objectives", "optimizers", "oracles"),
    *("outer", "periods", "problem.py", "schedules.py", "starts.py"),
)
BESIDE = ("objectives/data", "objectives/finite_sums")
"""What is over data rests on BLAS, and says so."""

FUNCTIONS = {
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "power", "pow"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "cbrt", "float_power", "sinc"),
    *("arcsin", "arccos", "arctan", "arctan2", "arcsinh", "arccosh", "arctanh"),
    *("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "erf", "erfc", "lgamma"),
    *("geomspace", "logspace", "interp", "polyval", "convolve"),
}
"""Of the C library, or of NumPy's vector code for the processor."""
SUMS = {
    *("sum", "nansum", "mean", "nanmean", "average", "std", "var", "prod", "trapezoid"),
    *("dist", "sumprod", "add.reduce", "add.reduceat", "multiply.reduce"),
}
"""NumPy's order of adding over the last axis depends on the width of the processor's vectors."""
PRODUCTS = {
    *("dot", "vdot", "inner", "vecdot", "matvec", "vecmat", "matmul", "tensordot", "einsum"),
    *("linalg", "kron", "correlate"),
}
"""BLAS and LAPACK choose their kernels by the processor."""
DRAWS = {"normal", "standard_normal", "exponential", "standard_exponential", "default_rng"}
BUILTINS = {"pow"}
"""Python's own, which call the C library for floats."""
LIBRARIES = {"np", "numpy", "math", "scipy"}
FORBIDDEN = FUNCTIONS | SUMS | PRODUCTS | DRAWS

TRIAL = "a trial before the first round, whose numbers are compared with a tolerance"
FACT = "a text of six digits that ranks compare before the first round"
CURVATURE = "L of sums over data, which theory reads and no run"
ROWS = "over learners, row after row: tests/unit/elementary/test_sums.py"
EXACT = "sums without error, in any order"
DECIMAL = "decimal arithmetic rounds it correctly"
WHOLE = "powers of whole numbers and fractions are exact"
EXCEPTIONS = {
    "elementary.sine_by_table": {"**": WHOLE},
    "elementary.tanh_tables": {"exp": DECIMAL},
    "objectives.spectrum": {"exp": DECIMAL},
    "engine.contracts.outer_rules": {"vecdot": TRIAL, "cos": TRIAL},
    "engine.contracts.slopes": {"vecdot": TRIAL, "cos": TRIAL, "linalg": TRIAL, "mean": TRIAL},
    "engine.fingerprint": {"vecdot": FACT, "mean": FACT, "sum": FACT},
    "engine.number_means": {"add.reduce": EXACT},
    "engine.exact_mean": {"add.reduce": EXACT},
    "engine.means": {"add.reduce": ROWS},
    "objectives.curvature": {
        "vecdot": CURVATURE, "linalg": CURVATURE, "@": CURVATURE, "standard_normal": CURVATURE,
    },
}  # fmt: skip
"""What a module may use all the same, and why no digest depends on it."""


def list_modules():
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT).as_posix()
        if relative.startswith(PLACES) and not relative.startswith(BESIDE):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts)


MODULES = list(list_modules())


def parts(node):
    """``np.add.reduce`` as ["np", "add", "reduce"], and ``f(x).sum`` as ["", "sum"]."""
    names = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else ["", *names]


def is_exact_power(node):
    """``2.0**-31`` and ``2**n``, exact in every library; n is taken for a whole number."""
    right = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    is_root = isinstance(right, ast.Constant) and not isinstance(right.value, int)
    return isinstance(node.left, ast.Constant) and node.left.value == 2 and not is_root


def find_inexact(tree):
    """Every forbidden operation in a syntax tree, by its name."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *rest = parts(node)
            # An attribute, or a method of one's own, may have the name of a function.
            if first in LIBRARIES or (id(node) in called and (first, len(rest)) != ("self", 1)):
                yield from {".".join(rest[-2:]), rest[-1]} & FORBIDDEN
        elif isinstance(node, ast.Name) and id(node) in called:
            yield from {node.id} & BUILTINS
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            # ``math.prod`` is one of sizes.
            yield from {alias.name for alias in node.names} & FORBIDDEN - {"prod"}
        elif isinstance(node, (ast.BinOp, ast.AugAssign)):
            if isinstance(node.op, ast.MatMult):
                yield "@"
            elif isinstance(node.op, ast.Pow) and not (
                isinstance(node, ast.BinOp) and is_exact_power(node)
            ):
                yield "**"


@pytest.mark.parametrize("name", MODULES)
def test_modules_use_exact_operations_alone(name):
    path = ROOT / f"{name.replace('.', '/')}.py"
    found = set(find_inexact(ast.parse(path.read_text(encoding="utf-8"))))
    allowed = set(EXCEPTIONS.get(name, ()))
    assert found <= allowed, f"{name} uses {sorted(found - allowed)}; see kavg/elementary"
    assert allowed <= found, f"{name} does without {sorted(allowed - found)}: drop the exception"


def test_exceptions_are_of_modules_that_exist():
    assert set(EXCEPTIONS) <= set(MODULES)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("np.tanh(x)", {"tanh"}),
        ("from math import log, sqrt", {"log"}),
        ("np.add.reduce(x, axis=0)", {"add.reduce"}),
        ("x.sum(axis=-1)", {"sum"}),
        ("f(x).sum()", {"sum"}),
        ("np.linalg.norm(x)", {"linalg"}),
        ("x @ y", {"@"}),
        ("x @= y", {"@"}),
        ("x ** 0.5", {"**"}),
        ("x ** 2", {"**"}),
        ("2 ** 0.5", {"**"}),
        ("pow(x, 0.5)", {"pow"}),
        ("pow = 1.0; self.pow(x)", set()),
        ("self.mean.mean + options.mean", set()),
        ("self.average(1) + self.w.sum()", {"sum"}),
        ("total = np.mean", {"mean"}),
        ("2.0 ** -31 + 2 ** 64 + 2 ** n", set()),
        ("np.sqrt(x) + np.maximum.reduce(x)", set()),
        ("generator.standard_normal(3)", {"standard_normal"}),
    ],
)
def test_what_is_found(code, found):
    assert set(find_inexact(ast.parse(code))) == found
