"""Mode: names, the default, and what reference mode does."""

from __future__ import annotations

import pytest

import nbgraph
import nbgraph.tensor as nt
from nbgraph import Mode, function
from nbgraph.compile.modes import MODES, get_default_mode, get_mode


def test_mode_is_found_by_name_and_none_is_the_default():
    assert get_mode("reference") is MODES["reference"]
    assert get_mode(None) is get_default_mode() is MODES[nbgraph.config.mode]
    own = Mode("own", (), "reference")
    assert get_mode(own) is own


def test_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="FAST_RUN, FAST_COMPILE, reference"):
        get_mode("FASTER")
    with pytest.raises(TypeError, match="mode must be"):
        get_mode(3)


def test_config_decides_the_default_mode():
    with nbgraph.config.change_flags(mode="reference"):
        assert function([], nt.constant(1)).maker.mode.name == "reference"


def test_reference_mode_runs_the_graph_as_it_was_written():
    x = nt.dscalar("x")
    z = nt.log(nt.exp(x) * 1.0)
    f = function([x], z, mode="reference")
    assert [str(node.op) for node in f.maker.fgraph.nodes] == ["exp", "mul", "log"]
    assert f.stages.plan is None
    assert f.stages.program is None
    assert "3 nodes" in f.explain()
    assert f.maker.report is None


def test_rewriting_without_lowering_is_a_mode_too():
    x = nt.dvector("x")
    f = function([x], nt.log(nt.exp(x) * 1.0), mode=Mode("rewritten", "FAST_RUN", "reference"))
    assert len(f.maker.fgraph.nodes) < 3
    assert f.maker.report is not None
    assert f.maker.fgraph.inputs == (x,)
    assert f([1.0, 2.0]).tolist() == [1.0, 2.0]
