"""function_dump: what a call of `function` is given, in a file, to be compiled elsewhere.

    function_dump("case.pkl", [x], z, updates=[(w, w - g)])
    f = function(**pickle.load(open("case.pkl", "rb")))
"""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgraph.compile.conform import given_pairs
from nbgraph.compile.mode import Mode
from nbgraph.graph.basic import Tag


class StripPickler(pickle.Pickler):
    """A pickler that leaves out attributes of the tags of variables.

    Parameters
    ----------
    file : binary file
    protocol : int, optional
    extra_tag_to_remove : name or names of the attributes
    """

    def __init__(self, file: Any, protocol: int | None = None,
                 extra_tag_to_remove: str | Iterable[str] | None = None) -> None:
        super().__init__(file, protocol)
        names = extra_tag_to_remove or ()
        self.removed = frozenset([names] if isinstance(names, str) else names)

    def reducer_override(self, obj: Any) -> Any:
        """How a tag is pickled: without what is to be left out."""
        if not isinstance(obj, Tag):
            return NotImplemented
        return Tag, (), {name: note for name, note in vars(obj).items() if name not in self.removed}


def function_dump(filename: str | os.PathLike[str], inputs: Any, outputs: Any = None, mode: Mode | str | None = None,
                  updates: Any = None, givens: Any = None, no_default_updates: bool | Iterable[Any] = False,
                  accept_inplace: bool = False, name: str | None = None, rebuild_strict: bool = True,
                  allow_input_downcast: bool | None = None, profile: Any = None, on_unused_input: str | None = None,
                  extra_tag_to_remove: str | Iterable[str] | None = None) -> None:
    """Pickle all that `function` needs for these arguments, values of shared variables too. Nothing is compiled.

    Parameters
    ----------
    filename : path               written where all of it can be pickled
    inputs, ... : as for `function`
    extra_tag_to_remove : str or list of str, optional      attributes of the tags of variables that are left out

    Raises
    ------
    TypeError, AttributeError, PicklingError   something in the graph does not pickle, such as an Op of a local class

    Examples
    --------
    To compile what was dumped: `d = pickle.load(open(filename, "rb")); f = nbgraph.function(**d)`.
    """
    arguments = {
        "inputs": inputs, "outputs": outputs, "mode": mode,
        "updates": None if updates is None else given_pairs(updates, "updates"),
        "givens": None if givens is None else given_pairs(givens, "givens"),
        "no_default_updates": no_default_updates if isinstance(no_default_updates, bool) else list(no_default_updates),
        "accept_inplace": accept_inplace, "name": name, "rebuild_strict": rebuild_strict,
        "allow_input_downcast": allow_input_downcast, "profile": profile, "on_unused_input": on_unused_input}
    data = io.BytesIO()
    StripPickler(data, extra_tag_to_remove=extra_tag_to_remove).dump(arguments)
    Path(filename).write_bytes(data.getvalue())
