"""Every example of the four pages on `function` that nbgraph follows, with what it prints, in every mode.

The pages are: the reference of `function`, its older edition, the page on inputs and outputs, and the tutorial "More
Examples". Names are ours (nbgraph for the package, `at` stays), broken import lines are read as what they mean; where a
page prints nothing, what stands here follows from its comments.
"""

from __future__ import annotations

import pytest

import nbgraph
import nbgraph.tensor as at
from tests.example_text import run

FIRST = """
>>> import nbgraph
>>> x = nbgraph.tensor.dscalar()
>>> f = nbgraph.function([x], 2*x)
>>> f(4)
array(8.0)
"""

SEVERAL = """
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> a, b = at.dmatrices('a', 'b')
>>> diff = a - b
>>> abs_diff = abs(diff)
>>> diff_squared = diff**2
>>> f = nbgraph.function([a, b], [diff, abs_diff, diff_squared])
>>> f([[1, 1], [1, 1]], [[0, 1], [2, 3]])
[array([[ 1.,  0.],
       [-1., -2.]]), array([[ 1.,  0.],
       [ 1.,  2.]]), array([[ 1.,  0.],
       [ 1.,  4.]])]
"""

DEFAULTS = """
>>> import nbgraph.tensor as at
>>> from nbgraph.compile.io import In
>>> from nbgraph import function
>>> x, y = at.dscalars('x', 'y')
>>> z = x + y
>>> f = function([x, In(y, value=1)], z)
>>> f(33)
array(34.0)
>>> f(33, 2)
array(35.0)
>>> x, y, w = at.dscalars('x', 'y', 'w')
>>> z = (x + y) * w
>>> f = function([x, In(y, value=1), In(w, value=2, name='w_by_name')], z)
>>> f(33)
array(68.0)
>>> f(33, 2)
array(70.0)
>>> f(33, 0, 1)
array(33.0)
>>> f(33, w_by_name=1)
array(34.0)
>>> f(33, w_by_name=1, y=0)
array(33.0)
"""

COPIES = """
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> state = nbgraph.shared(0)
>>> inc = at.iscalar('inc')
>>> accumulator = nbgraph.function([inc], state, updates=[(state, state+inc)])
>>> accumulator(10)
array(0)
>>> print(state.get_value())
10
>>> new_state = nbgraph.shared(0)
>>> new_accumulator = accumulator.copy(swap={state:new_state})
>>> new_accumulator(100)
[array(0)]
>>> print(new_state.get_value())
100
>>> print(state.get_value())
10
>>> null_accumulator = accumulator.copy(delete_updates=True)
>>> null_accumulator(9000)
[array(10)]
>>> print(state.get_value())
10
"""

STATES = """
>>> import nbgraph.tensor as at
>>> from nbgraph import function, In
>>> u, x, s = at.scalars('u', 'x', 's')
>>> inc = function([u, In(x, value=3), In(s, update=(s+x*u), value=10.0)], [])
>>> inc(5)
[]
>>> print(inc[s])
25.0
>>> inc(3, 4)
[]
>>> print(inc[s])
37.0
>>> print(inc[x])
3.0
>>> inc(3, 4, 7)
[]
>>> print(inc[s])
19.0
>>> inc[s] = 10
>>> inc[s]
array(10.0)
"""

ACCESS = """
>>> import nbgraph.tensor as at
>>> from nbgraph import function
>>> a, b, c = at.scalars('xys')
>>> fn = function([a, b, ((c, c+a+b), 10.0)], [])
>>> fn['s'] is fn.value[c]
True
>>> fn['s'] is fn.container[c].value
True
>>> fn['s']
array(10.0)
>>> fn(1, 2)
[]
>>> fn['s']
array(13.0)
>>> fn['s'] = 99.0
>>> fn(1, 0)
[]
>>> fn['s']
array(100.0)
>>> fn.value[c] = 99.0
>>> fn(1,0)
[]
>>> fn['s']
array(100.0)
>>> fn['s'] == fn.value[c]
True
>>> fn['s'] == fn.container[c].value
True
"""

RESTRICTIONS = """
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> from nbgraph import In
>>> x = at.scalar()
>>> y = at.scalar('y')
>>> z = at.scalar('z')
>>> w = at.scalar('w')
>>> fn = nbgraph.function(inputs=[x, y, In(z, value=42), ((w, w+x), 0)],
...                       outputs=x + y + z)
>>> fn(1)
Traceback (most recent call last):
TypeError: Missing required input: y
>>> fn(1, 2)
array(45.0)
>>> fn[w]
array(1.0)
>>> fn(1, y=2)
array(45.0)
>>> fn[w]
array(2.0)
>>> fn(x=1, y=2)
Traceback (most recent call last):
TypeError: Unknown input or state: x. The function has 3 named inputs (y, z, w), and 1 unnamed input which thus cannot be accessed through keyword argument (use 'name=...' in a variable's constructor to give it a name).
>>> fn(1, 2, 3)
array(6.0)
>>> fn[w]
array(3.0)
>>> fn(1, z=3, y=2)
array(6.0)
>>> fn[w]
array(4.0)
>>> fn(1, 2, w=400)
array(45.0)
>>> fn[w]
array(401.0)
>>> fn(1, 2)
array(45.0)
>>> fn[w]
array(402.0)
"""  # noqa: E501 - the words of the message

OUTPUTS = """
>>> import numpy
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> from nbgraph import Out
>>> x, y, s = at.matrices('xys')
>>> fn1 = nbgraph.function([x], [x+x, Out((x+x).T, borrow=True)])
>>> fn1(numpy.asarray([[1,0],[0,1]]))
[array([[ 2.,  0.],
       [ 0.,  2.]]), array([[ 2.,  0.],
       [ 0.,  2.]])]
>>> fn2 = nbgraph.function([x], [x+x])
>>> fn2(numpy.asarray([[1,0],[0,1]]))
[array([[ 2.,  0.],
       [ 0.,  2.]])]
>>> fn3 = nbgraph.function([x], outputs=x+x)
>>> fn3(numpy.asarray([[1,0],[0,1]]))
array([[ 2.,  0.],
       [ 0.,  2.]])
"""

LOGISTIC = """
>>> import nbgraph
>>> import nbgraph.tensor as at
>>> x = at.dmatrix('x')
>>> s = 1 / (1 + at.exp(-x))
>>> logistic = nbgraph.function([x], s)
>>> logistic([[0, 1], [-1, -2]])
array([[ 0.5       ,  0.73105858],
       [ 0.26894142,  0.11920292]])
>>> s2 = (1 + at.tanh(x / 2)) / 2
>>> logistic2 = nbgraph.function([x], s2)
>>> logistic2([[0, 1], [-1, -2]])
array([[ 0.5       ,  0.73105858],
       [ 0.26894142,  0.11920292]])
"""

SHARED = """
>>> import nbgraph.tensor as at
>>> from nbgraph import function
>>> from nbgraph import shared
>>> state = shared(0)
>>> inc = at.iscalar('inc')
>>> accumulator = function([inc], state, updates=[(state, state+inc)])
>>> print(state.get_value())
0
>>> accumulator(1)
array(0)
>>> print(state.get_value())
1
>>> accumulator(300)
array(1)
>>> print(state.get_value())
301
>>> state.set_value(-1)
>>> accumulator(3)
array(-1)
>>> print(state.get_value())
2
>>> decrementor = function([inc], state, updates=[(state, state-inc)])
>>> decrementor(2)
array(2)
>>> print(state.get_value())
0
>>> fn_of_state = state * 2 + inc
>>> foo = at.scalar(dtype=state.dtype)
>>> skip_shared = function([inc, foo], fn_of_state, givens=[(state, foo)])
>>> skip_shared(1, 3)
array(7)
>>> print(state.get_value())
0
"""

# The tutorial's set-up is a script without prompts.
RANDOM = """
>>> from nbgraph.tensor.random.utils import RandomStream
>>> from nbgraph import function
>>> srng = RandomStream(seed=234)
>>> rv_u = srng.uniform(0, 1, size=(2,2))
>>> rv_n = srng.normal(0, 1, size=(2,2))
>>> f = function([], rv_u)
>>> g = function([], rv_n, no_default_updates=True)
>>> nearly_zeros = function([], rv_u + rv_u - 2 * rv_u)
>>> f_val0 = f()
>>> f_val1 = f()
>>> bool((f_val0 != f_val1).all())
True
>>> g_val0 = g()
>>> g_val1 = g()
>>> bool((g_val0 == g_val1).all())
True
>>> bool((g_val0 != f_val0).all() and (g_val0 != f_val1).all())
True
>>> bool((abs(nearly_zeros()) < 1e-12).all())
True
>>> srng.seed(902340)
>>> seeded = f(), g()
>>> srng.seed(902340)
>>> bool((f() == seeded[0]).all() and (g() == seeded[1]).all())
True
>>> bool((seeded[1] != g_val0).all())
True
"""

DUMP = """
>>> import pickle
>>> import nbgraph
>>> d = pickle.load(open("func_dump.bin", "rb"))
>>> f = nbgraph.function(**d)
>>> f(3.0)
[array(4.0)]
"""

# Section -> its examples. The reference, its older edition and the tutorial have some in common.
SECTIONS = {
    "reference, both editions: guide": FIRST,
    "reference and tutorial: more than one thing": SEVERAL,
    "reference and tutorial: a default value": DEFAULTS,
    "reference and tutorial: copying functions": COPIES,
    "inputs and outputs: initial and default values": STATES,
    "inputs and outputs: access to values and containers": ACCESS,
    "inputs and outputs: input shortcuts": RESTRICTIONS,
    "inputs and outputs: outputs": OUTPUTS,
    "tutorial: logistic function": LOGISTIC,
    "tutorial: shared variables": SHARED,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_section_prints_what_the_page_says(section: str, mode: str):
    assert run(SECTIONS[section], {}) == SECTIONS[section].count(">>>")


def test_a_dump_is_loaded_as_the_page_says(tmp_path, monkeypatch, mode: str):
    """"To load such a dump and do the compilation" """
    monkeypatch.chdir(tmp_path)
    x, w = at.dscalar("x"), nbgraph.shared(1.0, "w")
    nbgraph.function_dump("func_dump.bin", [x], [x + w], updates=[(w, w + x)])
    assert run(DUMP, {}) == DUMP.count(">>>")
    assert w.get_value() == 1.0


def test_random_numbers_are_as_the_tutorial_says(mode: str):
    """"f_val0 = f(); f_val1 = f() #different numbers from f_val0", "same numbers as g_val0!" """
    assert run(RANDOM, {}) == RANDOM.count(">>>")


def test_runner_notices_a_wrong_result():
    with pytest.raises(AssertionError, match="Got"):
        run(">>> 1 + 1\n3\n", {})
