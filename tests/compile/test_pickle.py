"""Functions and dumps that are pickled, unpickled and run, here and in a new process.

The quotations are of the documentation of `function` that nbgraph follows.
"""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import In, Out, function, function_dump, shared
from nbgraph.errors import DTypeError
from nbgraph.graph.basic import Apply
from nbgraph.graph.op import Op
from nbgraph.graph.traversal import toposort

KEYS = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    functions = pickle.load(file)
pickle.dump([(f.cache_info().hit, f.cache_info().key) for f in functions], sys.stdout.buffer)
"""
IN_A_NEW_PROCESS = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    f, w = pickle.load(file)
native = f.cache_info()
before = f["s"]
results = f([1.0, 2.0], 3.0)
pickle.dump((native.hit, native.key, before, results, w.get_value(), f["s"], f.name), sys.stdout.buffer)
"""


class Doubled(Op):
    """2 * x, by NumPy."""

    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = 2 * inputs[0]


def step():
    """A function with a default, a state and a shared variable, and that variable."""
    x, y, s = nt.dvector("x"), nt.dscalar("y"), nt.dscalar("s")
    w = shared(np.ones(2), "w")
    f = function([x, In(y, value=2.0), In(s, value=1.0, update=s + y)], [(x * w).sum() + y, nt.exp(x)],
                 updates=[(w, w + x)], name="step")
    return f, w


@pytest.mark.parametrize("copied", [lambda v: pickle.loads(pickle.dumps(v)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_function_is_serialized_with_defaults_state_and_graph(copied):
    """"A Function instance may be serialized using the pickle or cPickle modules. This will save all default inputs,
    the graph, and WRITEME to the pickle file."
    """
    f, w = step()
    f(np.ones(2))
    g = copied(f)
    assert (g.name, g["s"], g["y"], g.trust_input) == ("step", 3.0, 2.0, False)
    np.testing.assert_array_equal(g["w"], [2, 2])
    total, exponential = g([1.0, 2.0])
    assert total == 8.0
    np.testing.assert_allclose(exponential, np.exp([1, 2]))
    np.testing.assert_array_equal(g["w"], [3, 4])
    assert g["s"] == 5.0
    np.testing.assert_array_equal(w.get_value(), [2, 2], err_msg="the copy has a state of its own")
    assert (f["s"], str(g.maker.fgraph)) == (3.0, str(f.maker.fgraph))


def test_functions_that_share_variables_and_containers_share_them_within_a_pickle():
    f, w = step()
    x = nt.dscalar("x")
    inner = function([In(x, value=f.container["s"])], x * 10)
    f2, read2, inner2, w2 = pickle.loads(pickle.dumps((f, function([], w), inner, w)))
    f2([1.0, 1.0])
    np.testing.assert_array_equal(read2(), [2, 2])
    np.testing.assert_array_equal(w2.get_value(), [2, 2])
    assert f2.finder["w"] is w2.container
    assert inner2() == 30.0
    assert inner() == 10.0


def test_objects_pickle_with_functions_that_keep_them():
    rng, items = shared(np.random.default_rng(3), "rng"), shared([1, [2]], "items")
    f, rng2, items2 = pickle.loads(pickle.dumps((function([], rng, updates=[(items, rng)]), rng, items)))
    assert items2.get_value() == [1, [2]] and f.finder["rng"] is rng2.container
    assert f().random() == np.random.default_rng(3).random() == items2.get_value().random()


def test_what_a_function_was_told_survives():
    x, y = nt.fvector("x"), nt.dscalar("y")
    f = function([x, In(y, value=1.0)], {"a": x + 1, "b": y}, allow_input_downcast=True, name="told")
    f.trust_input = True
    g = pickle.loads(pickle.dumps(f.copy(name="other")))
    assert (g.name, g.trust_input, list(g(np.zeros(1, "float32")))) == ("other", True, ["a", "b"])
    g.trust_input = False
    assert g([0.1])["a"].dtype == np.float32
    single = pickle.loads(pickle.dumps(function([y], y + 1, name="single")))
    assert isinstance(single(1.0), np.ndarray)
    without = pickle.loads(pickle.dumps(step()[0].copy(delete_updates=True)))
    without([1.0, 1.0])
    np.testing.assert_array_equal(without["w"], [1, 1])


def test_names_and_lines_of_the_user_survive():
    f, _ = step()
    g = pickle.loads(pickle.dumps(f))
    assert repr(g) == repr(f) and g.source == f.source
    with pytest.raises(DTypeError, match=r"step: input x \(position 0\)(.|\n)*test_pickle\.py:\d+"):
        g("words")


def test_a_function_of_a_long_chain_is_pickled():
    x = nt.dscalar("x")
    z = x
    for _ in range(3_000):
        z = z + 1.0
    data = pickle.dumps(function([x], z, mode="reference"))
    assert pickle.loads(data)(1) == 3_001


def test_a_new_process_loads_what_was_compiled(fresh_cache: Path, tmp_path: Path, mode: str):
    f, w = step()
    place = tmp_path / "f.pkl"
    place.write_bytes(pickle.dumps((f, w)))
    code = IN_A_NEW_PROCESS if mode != "reference" else IN_A_NEW_PROCESS.replace(
        "native = f.cache_info()", "from types import SimpleNamespace; native = SimpleNamespace(hit=None, key=None)")
    done = subprocess.run([sys.executable, "-c", code, str(place)], capture_output=True, check=True)
    hit, key, before, (total, exponential), value, after, name = pickle.loads(done.stdout)
    if mode != "reference":
        assert hit and key == f.cache_info().key
    assert (before, total, after, name) == (1.0, 6.0, 4.0, "step")
    np.testing.assert_allclose(exponential, np.exp([1, 2]))
    np.testing.assert_array_equal(value, [2, 3])


def test_a_new_process_compiles_no_copy(fresh_cache: Path, tmp_path: Path):
    x, y, w = nt.dmatrix("x"), nt.dvector("y"), shared(np.ones(3), "w")
    cost = ((y - nt.sigmoid(x @ w)) ** 2).mean()
    f = function([x, y], cost, updates=[(w, w - nbgraph.grad(cost, w))], mode="FAST_RUN")
    place = tmp_path / "copies.pkl"
    place.write_bytes(pickle.dumps([f, f.copy(swap={w: shared(np.zeros(3), "other")}), f.copy(delete_updates=True)]))
    done = subprocess.run([sys.executable, "-c", KEYS, str(place)], capture_output=True, check=True)
    assert pickle.loads(done.stdout) == [(True, f.cache_info().key)] * 3


def test_what_is_dumped_is_loaded_and_compiled_as_the_recipe_says(tmp_path: Path):
    """"function_dump allows you to easily reproduce your compilation without generating any code. It pickles all the
    objects and parameters needed to reproduce a call to aesara.function(). This includes shared variables and their
    values."  "To load such a dump and do the compilation"
    """
    x, y, unused = nt.fvector("x"), nt.dscalar("y"), nt.dscalar("unused")
    w = shared(np.full(2, 3.0, "float32"), "w")
    w.default_update = w + 1
    place = tmp_path / "func_dump.bin"
    arguments = {"inputs": [x, unused, (y, 5.0)], "outputs": {"a": Out(x + w, borrow=True), "b": y * 2},
                 "mode": "FAST_COMPILE", "updates": ((w, w + x) for _ in range(1)), "givens": {y: y + 1},
                 "no_default_updates": [w], "name": "dumped", "rebuild_strict": False,
                 "allow_input_downcast": True, "on_unused_input": "ignore"}
    assert function_dump(place, **arguments) is None
    d = pickle.load(open(place, "rb"))
    f = nbgraph.function(**d)
    w.set_value(np.zeros(2, "float32"))
    f["unused"] = 0.0
    results = f([1.0, 2.0])
    np.testing.assert_array_equal(results["a"], [4, 5])
    assert results["b"] == 12
    np.testing.assert_array_equal(f["w"], [4, 5])
    assert (f.name, f.maker.mode.name, f.allow_input_downcast) == ("dumped", "FAST_COMPILE", True)
    np.testing.assert_array_equal(w.get_value(), [0, 0])


def test_a_dump_takes_arguments_by_position_in_the_order_of_function(tmp_path: Path):
    """"replace aesara.function(...) by aesara.function_dump('filename.pkl', ...)" """
    x, w = nt.dscalar("x"), shared(1.0, "w")
    given = ([x], x + w, None, [(w, w + x)], None, False, False, "named", True, None, None, "raise")
    nbgraph.compile.function.function_dump(str(tmp_path / "filename.pkl"), *given)
    d = pickle.loads((tmp_path / "filename.pkl").read_bytes())
    f, g = function(*given), function(**d)
    assert (f(2.0), g(2.0), f.name, g.name) == (3.0, 3.0, "named", "named")


def test_tags_are_left_out_of_a_dump_where_asked(tmp_path: Path):
    """"The parameter extra_tag_to_remove is passed to the StripPickler used." """
    x = nt.dvector("x")
    z = nt.exp(x)
    z.tag.annotations, z.tag.roles, x.tag.kept = [lambda: None], "bias", "yes"
    place = tmp_path / "tags.pkl"
    with pytest.raises((AttributeError, pickle.PicklingError, TypeError)):
        function_dump(place, [x], z)
    assert not place.exists(), "what can't be pickled leaves no file"
    function_dump(place, [x], z, extra_tag_to_remove=["annotations", "replacement_of", "aggregation_scheme", "roles"])
    d = pickle.loads(place.read_bytes())
    assert vars(d["outputs"].tag) == {} and vars(d["inputs"][0].tag) == {"kept": "yes"}
    assert z.tag.roles == "bias", "the graph itself keeps its tags"
    function_dump(place, [x], x + 1, extra_tag_to_remove="kept")
    assert vars(pickle.loads(place.read_bytes())["inputs"][0].tag) == {}


def test_a_dump_keeps_ops_of_the_user_and_long_chains(tmp_path: Path):
    x = nt.dscalar("x")
    z = Doubled()(x)
    for _ in range(3_000):
        z = z + 1.0
    function_dump(tmp_path / "long.pkl", [x], z, mode="reference")
    f = function(**pickle.loads((tmp_path / "long.pkl").read_bytes()))
    assert f(1) == 3_002
    assert isinstance(toposort(f.maker.collected.fgraph.outputs)[0].op, Doubled)
