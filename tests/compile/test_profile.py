"""profile=: what calls took, that results and code are the same, and what is printed and drawn. In every mode."""

from __future__ import annotations

import copy
import io
import pickle
import sys
import threading
import time

import numpy as np
import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import ProfileStats, function, shared
from nbgraph.compile.container import locks_of
from nbgraph.compile.profile import KEPT, ProfileRow
from nbgraph.compile.profile_text import MOST
from nbgraph.config import config
from nbgraph.errors import ShapeError
from nbgraph.lowering import build as building

X, Y = np.random.default_rng(4).normal(size=(700, 20)), (np.arange(700) % 2).astype(float)


def training_step(**options):
    """A logistic regression step, w and b with values of their own."""
    x, y = nt.dmatrix("x"), nt.dvector("y")
    w, b = shared(np.zeros(20), name="w"), shared(0.0, name="b")
    p_1 = 1 / (1 + nt.exp(-nt.dot(x, w) - b))
    cost = (-y * nt.log(p_1) - (1 - y) * nt.log(1 - p_1)).mean()
    gw, gb = nbgraph.grad(cost, [w, b])
    step = function([x, y], [p_1, cost], updates=[(w, w - 0.1 * gw), (b, b - 0.1 * gb)], name="train", **options)
    return step, w


def test_rows_are_at_most_the_native_time_which_is_at_most_the_wall_time():
    """The issue: "calls, time per kernel and library call inside the compiled function … share of call overhead"."""
    train, _ = training_step(profile=True)
    assert isinstance(train.profile, ProfileStats)
    start = time.perf_counter()
    for _ in range(5):
        train(X, Y)
    outside = time.perf_counter() - start
    stats = train.profile
    in_rows = sum(row.seconds for row in stats.rows)
    assert 0 < in_rows <= stats.native_seconds < stats.seconds <= outside
    assert stats.rest_seconds == pytest.approx(stats.native_seconds - in_rows)
    assert 0 < stats.overhead < 1
    assert stats.calls == 5
    assert all(row.calls == 5 and row.seconds > 0 for row in stats.rows)
    assert [row.seconds for row in stats.rows] == sorted((row.seconds for row in stats.rows), reverse=True)


def test_waiting_for_another_call_is_no_overhead():
    w = shared(np.zeros(3), name="w")
    f = function([], w, updates=[(w, w + 1)], profile=True)
    f()
    f.profile.clear()
    (lock,) = locks_of([w.container])
    thread = threading.Thread(target=f)
    with lock:
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert f.profile.calls == 1 and f.profile.seconds < 0.4
    assert w.get_value().tolist() == [2.0, 2.0, 2.0]


def test_results_and_updates_are_the_same_bits_with_and_without():
    """The design: "profile … other code than the one that ships" is not to be."""
    (plain, w), (timed, v) = training_step(), training_step(profile=True)
    for _ in range(3):
        for mine, other in zip(timed(X, Y), plain(X, Y), strict=True):
            assert mine.tobytes() == other.tobytes()
    assert v.get_value().tobytes() == w.get_value().tobytes()


def test_products_are_rows_with_their_operations_and_bytes():
    """The issue: "time per kernel and library call", "bytes and flops (`Op.flops`)"."""
    x, w = nt.dmatrix("x"), nt.dvector("w")
    f = function([x, w], nt.exp(nt.dot(x, w)), profile=True)
    f(X, np.ones(20))
    f(X[:100], np.ones(20))
    (product,) = [row for row in f.profile.rows if row.what == "dot(x, w)"]
    assert product.kind == ("node" if f.maker.mode.name == "reference" else "library")
    assert product.name == ("dot" if f.maker.mode.name == "reference" else "gemv")
    assert product.flops == 2 * 20 * (700 + 100)
    assert product.read_bytes == 8 * (20 * (700 + 100) + 2 * 20)
    assert product.written_bytes == 8 * (700 + 100)
    assert product.gflop_per_s == pytest.approx(product.flops / product.seconds / 1e9)
    assert product.gb_per_s == pytest.approx((product.read_bytes + product.written_bytes) / product.seconds / 1e9)


def test_reference_mode_times_every_node():
    """The issue: "`mode="reference"`": what a function of every mode has."""
    x = nt.dvector("x")
    z = nt.exp(x) + 1
    z.name = "z"
    f = function([x], z, mode="reference", profile=True)
    f(np.ones(6))
    assert {(row.kind, row.name, row.what) for row in f.profile.rows} == {("node", "exp", "exp(x)"),
                                                                          ("node", "add", "z = exp(x) + 1")}
    assert [row.flops for row in f.profile.rows] == [6, 6]
    assert all(row.line.startswith("test_profile.py:") for row in f.profile.rows)
    assert sum(row.seconds for row in f.profile.rows) <= f.profile.native_seconds <= f.profile.seconds


def test_several_functions_in_one_profile():
    """The seed: "accumulate profiling information into a given ProfileStats instance"."""
    x = nt.dvector("x")
    stats = ProfileStats()
    f = function([x], nt.exp(x), name="f", profile=stats)
    g = function([x], x.sum(), name="g", profile=stats)
    assert f.profile is g.profile is stats
    f([1.0]), f([2.0]), g([1.0, 2.0])
    assert stats.calls == 3
    assert {(row.function, row.calls) for row in stats.rows} == {("f", 2), ("g", 1)}
    assert {(each.name, each.calls) for each in stats.functions} == {("f", 2), ("g", 1)}
    assert "\nf          " in str(stats)
    assert str(stats).count("function") == 2


def test_true_is_a_new_one_and_none_and_false_are_none():
    """The seed: "profile (None, True, or ProfileStats instance) … If argument is True then a new ProfileStats instance
    will be used. This profiling object will be available via self.profile."
    """
    x = nt.dscalar("x")
    assert function([x], x, profile=None).profile is None
    assert function([x], x, profile=False).profile is None
    first, second = function([x], x, profile=True), function([x], x, profile=True)
    assert isinstance(first.profile, ProfileStats)
    assert first.profile is not second.profile
    for wrong in (1, "yes", ProfileStats):
        with pytest.raises(TypeError, match="profile must be None, True, False or a ProfileStats"):
            function([x], x, profile=wrong)
    with config.change_flags(profile=True):
        assert function([x], x).profile is not None
        assert function([x], x, profile=False).profile is None


def test_without_a_profile_the_function_behind_a_call_knows_no_clock():
    """The issue: "no cost when off"."""
    plain, _ = training_step()
    timed, _ = training_step(profile=True)
    calls = plain._checked.__code__, timed._checked.__code__
    assert [{"record", "now", "took"} & {*code.co_names, *code.co_varnames} != set() for code in calls] == [False, True]
    assert plain.maker.executor.timeline is None
    plain(X, Y)
    assert plain.profile is None


def test_a_copy_is_profiled_where_that_is_asked_for(monkeypatch):
    """The seed of copy: "profile – as aesara.function profile parameter"; the issue: "without compiling again"."""
    plain, _ = training_step()
    timed = plain.copy(profile=True)
    built = []
    make = building.build
    monkeypatch.setattr("nbgraph.lowering.executor.build", lambda *given: built.append(given) or make(*given))
    assert plain.copy().maker.executor is plain.maker.executor
    assert plain.copy().profile is None
    other = plain.copy(profile=ProfileStats())
    assert other.maker.executor is timed.maker.executor is not plain.maker.executor
    assert timed.copy().maker.executor is plain.maker.executor
    assert copy.copy(timed).profile is timed.profile
    assert not built
    timed(X, Y)
    assert (timed.profile.calls, other.profile.calls) == (1, 0)
    assert timed.profile.functions[0].name == "train copy"


def test_a_call_that_raises_is_not_counted():
    x, y = nt.dvectors("x", "y")
    f = function([x, y], x * y, profile=True)
    f([1.0], [2.0])
    with pytest.raises(ShapeError):
        f([1.0], [2.0, 3.0])
    assert f.profile.calls == 1


def test_calls_by_name_with_conversion_and_for_a_subset_are_counted():
    x, y = nt.dvectors("x", "y")
    f = function([x, y], [x + y, (x * y).sum()], name="f", profile=True)
    f(x=[1.0], y=np.array([2], "float32"))
    f(np.ones(3), np.ones(3))
    assert f([1.0], [4.0], output_subset=[1]) == [4.0]
    assert f.profile.calls == 3
    assert sorted(each.calls for each in f.profile.functions) == [1, 2]


def test_threads_that_call_at_once_lose_no_call():
    x = nt.dvector("x")
    f = function([x], nt.exp(x).sum(), profile=True)

    def work(n):
        for _ in range(200):
            f(np.ones(n))

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert f.profile.calls == 800
    assert sum(row.flops for row in f.profile.rows) == 2 * 200 * (1 + 2 + 3 + 4)
    assert sum(row.seconds for row in f.profile.rows) <= f.profile.native_seconds <= f.profile.seconds


def test_pieces_on_two_threads_are_timed_until_the_last_is_done():
    x = nt.dvector("x")
    f = function([x], nt.exp(nt.sin(x)).sum(), profile=True)
    values = np.linspace(0, 9, 300_000)
    with config.change_flags(threads=1):
        alone = f(values)
    with config.change_flags(threads=2):
        shared_out = f(values)
    assert shared_out.tobytes() == alone.tobytes()
    assert f.profile.calls == 2
    assert sum(row.flops for row in f.profile.rows) == 2 * 3 * 300_000
    # A tenth of a nanosecond for two functions of an element is less than any machine takes.
    assert sum(row.seconds for row in f.profile.rows) > 2 * 300_000 * 1e-10


def test_lengths_of_any_number_are_remembered_as_what_was_done():
    x = nt.dvector("x")
    f = function([x], nt.exp(x), profile=True)
    for n in range(KEPT + 10):
        f(np.ones(n))
    assert len(f.profile.functions[0]._lengths) < KEPT
    assert sum(row.flops for row in f.profile.rows) == sum(range(KEPT + 10))


def test_stages_are_those_of_making_the_function(mode):
    """The issue: "compile stages"."""
    train, _ = training_step(profile=True)
    stages = train.profile.stages
    assert stages["collect"] > 0
    assert sum(stages.values()) <= 2 * (train.maker.seconds + train.maker.collecting_seconds)
    if mode != "reference":
        assert {"prepare", "schedule", "lower", "emit"} <= set(stages)
        built = {"known to this process"}, {"load from the cache"}, {"Numba", "LLVM"}
        assert any(names <= set(stages) for names in built)
        assert any(stage.startswith("rewrite: ") for stage in stages)


def test_a_function_that_is_compiled_says_what_numba_and_llvm_took(mode, fresh_cache):
    x = nt.dvector("x")
    f = function([x], nt.exp(x) * 1.00048828125 + 3, profile=True)
    if mode == "reference":
        assert set(f.profile.stages) == {"collect"}
        return
    assert f.profile.stages["Numba"] > 0
    assert f.profile.stages["LLVM"] > 0
    assert len(list(fresh_cache.glob("*.nbc"))) == 1
    again = function([x], nt.exp(x) * 1.00048828125 + 3, profile=True)
    assert again.profile.stages["known to this process"] > 0


def test_summary_prints_the_rows_and_where_the_rest_went(capsys):
    """The issue: "`f.profile.summary()`"."""
    train, _ = training_step(profile=True)
    train.profile.summary()
    assert "no call yet" in capsys.readouterr().out
    train(X, Y)
    text = io.StringIO()
    train.profile.summary(file=text)
    printed = text.getvalue()
    assert capsys.readouterr().out == ""
    assert printed == f"{train.profile}\n"
    lines = printed.splitlines()
    assert lines[0].split() == ["function", "calls", "ms", "in", "all", "us", "a", "call", "native", "around", "it"]
    assert lines[1].split()[:2] == ["train", "1"]
    body = lines[4:lines.index("", 4)]
    rows = train.profile.rows[:MOST]
    assert len(body) == len(rows) + 2 + (len(train.profile.rows) > MOST)
    for line, row in zip(body, rows):
        assert row.name in line
        assert row.what in line
        assert line.endswith(row.line)
    shares = [float(line.split()[0].rstrip("%")) for line in body]
    assert sum(shares) == pytest.approx(100, abs=0.1 * len(shares))
    assert shares[:len(rows)] == sorted(shares[:len(rows)], reverse=True)
    assert body[-1].split()[2] == "(around)"
    assert lines[-1].startswith("in all")


def test_a_profile_without_functions_prints():
    assert "no function" in str(ProfileStats())
    assert "no function" in repr(ProfileStats())
    assert ProfileStats().overhead == 0


def test_notebooks_show_the_table():
    x = nt.dscalar("x")
    f = function([x], x, name="a < b", profile=True)
    assert f.profile._repr_html_().startswith("<pre>function")
    assert "a &lt; b" in f.profile._repr_html_()


def test_clear_forgets_calls_and_keeps_what_compiling_took():
    train, _ = training_step(profile=True)
    train(X, Y)
    stages = train.profile.stages
    train.profile.clear()
    assert train.profile.calls == 0
    assert all(row.seconds == row.flops == row.calls == 0 for row in train.profile.rows)
    assert train.profile.stages == stages
    train(X, Y)
    assert train.profile.calls == 1


def test_a_pickled_profile_is_an_empty_one():
    x = nt.dscalar("x")
    f = function([x], x + 1, profile=True)
    f(1.0)
    for twin in (pickle.loads(pickle.dumps(f.profile)), copy.copy(f.profile)):
        assert isinstance(twin, ProfileStats)
        assert twin.calls == 0
    assert f.profile.calls == 1


def test_rates_of_what_took_no_time_are_unknown():
    row = ProfileRow("f", "kernel", "fused_0", "x", "", 1, 0.0, 8, 8, 1)
    assert row.gb_per_s is None
    assert row.gflop_per_s is None
    assert ProfileRow("f", "kernel", "fused_0", "x", "", 1, 1.0, None, 8, None).gb_per_s is None


def test_a_bar_chart_has_a_bar_for_each_row_and_for_the_rest():
    """The issue: "a bar chart in a notebook"."""
    figures = pytest.importorskip("matplotlib.figure")
    train, _ = training_step(profile=True)
    train(X, Y)
    axes = figures.Figure().subplots()
    assert train.profile.plot(axes, most=100) is axes
    rows = train.profile.rows
    widths = [bar.get_width() for bar in axes.patches]
    assert widths[:-2] == pytest.approx([1e6 * row.seconds for row in rows])
    assert sum(widths) == pytest.approx(1e6 * train.profile.seconds)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:-2] == [f"{row.name}   {row.what}" for row in rows]
    assert axes.yaxis_inverted()
    few = train.profile.plot(figures.Figure().subplots(), most=1)
    assert len(few.patches) == 4
    assert sum(bar.get_width() for bar in few.patches) == pytest.approx(1e6 * train.profile.seconds)


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'nbgraph\[notebooks\]'"):
        ProfileStats().plot()
