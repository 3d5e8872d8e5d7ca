"""Settings "are checked", and errors "say what is wrong … and how to fix it"."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from nbgraph.config import config


@pytest.mark.parametrize(("name", "value", "said"), [
    ("threads", 0, "must be at least 1, not 0"), ("threads", 1.5, "must be a whole number, not 1.5"),
    ("threads", None, "must be a whole number, not None"), ("threads", "two", "must be a whole number, not 'two'"),
    ("cache_bytes", -1, "must not be negative, not -1"),
    ("cache_bytes", float("inf"), "must be a whole number, not inf"),
    ("profile", 2, "must be 0 or 1, not 2"), ("verify", None, "must be 0 or 1, not None"),
    ("cache_dir", None, "must be a path, not None"), ("floatX", "float16", "must be one of float64, float32, not"),
    ("mode", 3, "must be one of FAST_RUN, FAST_COMPILE"),
])
def test_a_value_that_an_option_does_not_take_is_refused_in_the_usual_words(name: str, value: Any, said: str) -> None:
    before = getattr(config, name)
    with pytest.raises(ValueError, match=rf"config.{name} \(NBGRAPH_{name.upper()}\) {re.escape(said)}"):
        setattr(config, name, value)
    with pytest.raises(ValueError, match=re.escape(said)), config.change_flags(**{name: value}):
        pass
    assert getattr(config, name) == before


def test_an_option_that_there_is_not_is_answered_with_the_list() -> None:
    listed = "config has no option 'nope'; there are floatX, mode, cache_dir"
    with pytest.raises(AttributeError, match=listed), config.change_flags(nope=1):
        pass
    with pytest.raises(AttributeError, match=listed):
        config.nope = 1


@pytest.mark.parametrize(("name", "value", "kept"), [
    ("threads", "1", 1), ("cache_bytes", 1e9, 10**9), ("profile", 1, True), ("profile", "False", False),
    ("cache_dir", "/somewhere", Path("/somewhere")),
])
def test_what_means_the_same_is_taken(name: str, value: Any, kept: Any) -> None:
    with config.change_flags(**{name: value}):
        assert getattr(config, name) == kept and type(getattr(config, name)) is type(kept)
