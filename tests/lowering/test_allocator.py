"""Freed memory stays with the process, unless it is asked to let go."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

FAULTS = """
import json, resource
import numpy as np
import nbgraph, nbgraph.tensor as nt
x = nt.dvector("x")
f = nbgraph.function([x], [nt.exp(x + k) for k in range(5)])
values = np.zeros(200_000)
for _ in range(5):
    f(values)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    f(values)
print(json.dumps((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 20))
"""


def faults(**environment: str) -> float:
    """Page faults of a call that makes five arrays of 1.6 MB, in a process that has freed no larger one."""
    done = subprocess.run([sys.executable, "-c", FAULTS], env=os.environ | environment, check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_a_call_does_not_pay_for_fresh_pages_each_time():
    assert faults() < 20
    assert faults(NBGRAPH_KEEP_BYTES="0") > 100


def test_the_option_is_checked():
    import nbgraph
    with pytest.raises(ValueError, match=r"keep_bytes.*must not be negative"):
        nbgraph.config.keep_bytes = -1
