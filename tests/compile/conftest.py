"""Every test of this folder runs in every mode."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _in_every_mode(mode: str) -> None:
    """Use the fixture `mode`, which sets config.mode."""
