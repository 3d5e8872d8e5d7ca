"""Schedule: FunctionGraph -> Plan. Decides which nodes share a loop nest, and which values are kept in memory.

Two walks. Forwards, each node gets the earliest level at which it can be computed; a level is what may run between two
barriers (a reduction, a library call, a scatter). Backwards, each elementwise node learns in which nests its value is
wanted: in one, it stays a local of that nest; in several, it is kept in memory, or computed again where that is less.

A node may always be computed again in a later nest, so every decision here is about speed, never about correctness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbgraph.dispatch.rules import (
    EXPENSIVE,
    Alias,
    Check,
    Draws,
    Extent,
    Library,
    Pointwise,
    Reduction,
    Rule,
    Scan,
    Search,
    Writes,
    checks_for,
    rule_for,
)
from nbgraph.graph.basic import Apply, Constant, Variable
from nbgraph.graph.fg import FunctionGraph
from nbgraph.graph.traversal import toposort
from nbgraph.lowering.dims import Dim, Lengths, SameLengths
from nbgraph.lowering.footprint import Read, reads_of, whole
from nbgraph.lowering.plan import AliasStep, CheckStep, LibraryStep, Nest, Plan, Root, ScalarStep, Site, Step, natural

AGAIN = 3        # computing costs at most this: do it again rather than store and load
REDUCTIONS = 16   # of one nest: there are as many vector registers
STATEMENTS = 100  # a nest with more is cut: compile time grows faster than linearly with statements and arrays
COST_CAP = 10**9


def schedule(fgraph: FunctionGraph) -> Plan:
    """The plan of a rewritten graph."""
    return _Scheduler(fgraph).plan()


class _Scheduler:
    """The two walks over one graph."""

    def __init__(self, fgraph: FunctionGraph) -> None:
        self.fgraph = fgraph
        self.lengths = Lengths(fgraph.inputs, fgraph.nodes)
        self.same = SameLengths()
        self.rules: dict[Apply, Rule] = {}
        self.reads: dict[Any, list[Read]] = {}
        self.level: dict[Variable, int] = {}   # earliest level at which it can be computed
        self.ready: dict[Variable, int] = {}   # level from which on it can be loaded
        # As late as the parts allow: what a base is computed from stays needed no longer than that.
        self.base_level: dict[Variable, int] = {}
        self.cost: dict[Variable, int] = {}
        self.slow: set[Variable] = set()       # a division is among what they are computed by
        self.filled: dict[tuple[int, tuple[Dim, ...]], int] = {}  # statements in the nests of a level
        self.alike = SameLengths()             # what all checks together will have shown to be equal
        self.kept: set[Variable] = set()       # must be in memory
        self.checks: dict[Apply, list[Check]] = {}
        self.check_steps: dict[Apply, list[tuple[int, Check]]] = {}
        self.uses: dict[Variable, dict[tuple[Site, bool], None]] = {}
        self.roots: list[tuple[Site, Root]] = []
        self._before: dict[Apply, list[Variable]] = {}
        self.clients = {v: len(users) for v, users in fgraph.clients.items()}
        self.nodes = self._nodes_with_scalars()
        self.position = {node: place for place, node in enumerate(self.nodes)}

    def _nodes_with_scalars(self) -> list[Apply]:
        """All nodes, those of the lengths, bounds and checks that the plan needs among them, in an order that works."""
        inputs = set(self.fgraph.inputs)
        lengths = [n for node in self.fgraph.nodes for v in node.outputs for n in self._lengths_of(v)
                   if isinstance(n, Variable)]
        return toposort([*self.fgraph.outputs, *lengths], stop=inputs, also=self._scalars_before)

    def _scalars_before(self, node: Apply) -> list[Variable]:
        """The scalars besides its inputs that must be known before `node` is computed."""
        if node in self._before:
            return self._before[node]
        rule = self.rules[node] = rule_for(node)
        self.checks[node] = checks_for(node, self._lengths_of)
        scalars = [self._scalar(s) for s in getattr(rule, "scalars", ())]
        scalars += [self._scalar(s) for check in self.checks[node] for s in _scalars_in(check)]
        domains = [part.domain for part in getattr(rule, "parts", ())]
        domains += [rule.source] if isinstance(rule, (Reduction, Search)) else []
        scalars += [self._scalar(node.outputs[0])] if isinstance(rule, Extent) else []
        # What a library call makes itself has lengths that are known only afterwards.
        made = () if isinstance(rule, Library) and rule.allocates else node.outputs
        scalars += [n for v in (*made, *domains) for n in self._lengths_of(v)]
        self._before[node] = [s for s in scalars if isinstance(s, Variable) and s.owner is not node]
        return self._before[node]

    def _lengths_of(self, v: Variable) -> tuple[Dim, ...]:
        return self.lengths(v) if hasattr(v.type, "shape") else ()

    def _scalar(self, s: Any) -> Any:
        return s if isinstance(s, Variable) and s.type.dtype != "int64" else self.lengths.intern(s)

    # Forwards ------------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Both walks, then the steps in order."""
        for v in self.fgraph.inputs:
            self.ready[v] = 0
        for node in self.nodes:
            for check in self.checks[node]:
                if check.test == "equal":
                    first, *others = map(self._scalar, check.operands)
                    for length in others:
                        self.alike.unite(first, length, prefer_a=True)
        for node in self.nodes:
            self._place(node, self.rules[node])
        for v in self.fgraph.outputs:
            if self._is_inlined(v):
                self.kept.add(v)
        self._walk_back()
        return Plan(self.fgraph, *self._steps(), self.rules, self.lengths, self.same)

    def _is_inlined(self, v: Variable) -> bool:
        """True for a value that has no buffer unless it is kept: elementwise, not a scalar."""
        return (v.owner is not None and v not in self.fgraph_inputs and v.type.ndim > 0
                and isinstance(self.rules[v.owner], Pointwise))

    @property
    def fgraph_inputs(self) -> set[Variable]:
        """The inputs, as a set."""
        if not hasattr(self, "_inputs"):
            self._inputs = set(self.fgraph.inputs)
        return self._inputs

    def _place(self, node: Apply, rule: Rule) -> None:
        """Give the outputs of `node` their level."""
        allocates = isinstance(rule, Library) and rule.allocates
        ambient = max((self.available(n) for v in node.outputs for n in self._lengths_of(v)
                       if isinstance(n, Variable) and not allocates), default=0)
        ambient = max([ambient, *(self.available(self._scalar(s)) for s in getattr(rule, "scalars", ())
                                  if isinstance(self._scalar(s), Variable)),
                       *(self.in_memory(v) for v in getattr(rule, "needs_buffer", ()))])
        ambient = max(ambient, self._place_checks(node))
        out = node.outputs[0]
        if isinstance(rule, Pointwise):
            self._place_pointwise(node, rule, out, ambient)
        elif isinstance(rule, Reduction):
            level = self._needed(node, rule.element, rule.source.type.ndim, ambient, ("reduce", node))
            self._barrier(out, self._with_room(level, self._domain(rule.source), self.reads["reduce", node],
                                              STATEMENTS // REDUCTIONS))
        elif isinstance(rule, (Search, Scan)):
            self._barrier(out, max([ambient, *(self._need(whole(x), ()) for x in _sources(rule))]))
        elif isinstance(rule, Writes):
            self._place_writes(node, rule, out, ambient)
        elif isinstance(rule, Draws):
            self._place_draws(node, rule, ambient)
        elif isinstance(rule, (Alias, Extent)):
            length = self.lengths.intern(out) if isinstance(rule, Extent) else out
            level = self.in_memory(rule.source) if length is out else self._known_at(length)[0]
            self.ready[out] = self.level[out] = max(ambient, level)
        else:
            assert isinstance(rule, Library), "`prepare` has made a Foreign node of what a user computes"
            self._place_library(node, rule, ambient)

    def _barrier(self, out: Variable, level: int) -> None:
        self.level[out], self.ready[out] = level, level + 1

    def _place_pointwise(self, node: Apply, rule: Pointwise, out: Variable, ambient: int) -> None:
        level = self._needed(node, rule.element, out.type.ndim, ambient, node)
        if out.type.ndim and rule.cost:
            level = self._with_room(level, self._domain(out), self.reads[node])
        self.level[out] = level
        inlined = [r.variable for r in self.reads[node] if self._is_inlined(r.variable) and r.variable not in self.kept]
        self.cost[out] = min(COST_CAP, rule.cost + sum(self.cost[v] for v in inlined))
        if rule.slow or self.slow.intersection(inlined):
            self.slow.add(out)
        if out.type.ndim == 0:
            self.ready[out] = level

    def _with_room(self, level: int, dims: tuple[Dim, ...], reads: Sequence[Read], weight: int = 1) -> int:
        """The first level from this one on whose nest over `dims` has room; what is read of full ones is in memory.

        Nests of one loop are left to `fission`.
        """
        if len(dims) < 2:
            return level
        first = level
        while self._is_full(level, dims):
            level += 1
        self.filled[level, dims] = self.filled.get((level, dims), 0) + weight
        for v in (read.variable for read in reads if self._is_inlined(read.variable)):
            if level > first or (self.level[v] < level and self._is_full(self.level[v], self._domain(v))):
                self.kept.add(v)
        return level

    def _domain(self, v: Variable) -> tuple[Dim, ...]:
        """The lengths of v, one object for all that are equal in a call that succeeds."""
        return tuple(self.alike.find(n) for n in self.lengths(v))

    def _is_full(self, level: int, dims: tuple[Dim, ...]) -> bool:
        return self.filled.get((level, dims), 0) >= STATEMENTS

    def _place_writes(self, node: Apply, rule: Writes, out: Variable, ambient: int) -> None:
        level = ambient
        if rule.base is not None:
            level = 1 + max(ambient, self._need(whole(rule.base), ()))
        for k, part in enumerate(rule.parts):
            lengths = [n for n in self._lengths_of(part.domain) if isinstance(n, Variable)]
            domain = max(map(self.available, lengths), default=0)
            level = max(level, self._needed(node, part.place, part.domain.type.ndim, domain, (node, k)))
        self.base_level[out] = level - 1
        for k, part in enumerate(rule.parts):
            if part.scattered:
                level = max([level, *(self._before_scatter(read) for read in self.reads[node, k])])
        self._barrier(out, level)

    def _before_scatter(self, read: Read) -> int:
        """The level from which on a scatter finds what it reads.

        A scatter is a loop of its own, one element after the other. What is expensive is stored by a loop before it,
        which is vectorised; what a cheap function makes of that is computed again.
        """
        v = read.variable
        if not self._is_inlined(v) or self.cost[v] <= AGAIN:
            return 0
        if self.cost[v] >= EXPENSIVE:
            self.kept.add(self._without_cheap_ends(v))
        return self.level[v] + 1

    def _without_cheap_ends(self, v: Variable) -> Variable:
        """The array that v follows from by cheap functions of one array."""
        while v not in self.kept and v.owner is not None:
            arrays = [read for read in self.reads[v.owner] if read.variable.type.ndim]
            inlined = [read.variable for read in arrays if self._is_inlined(read.variable) and read.identity]
            if len(arrays) > 1 or not inlined or self.cost[inlined[0]] < max(EXPENSIVE, self.cost[v] - AGAIN):
                break
            v = inlined[0]
        return v

    def _place_draws(self, node: Apply, rule: Draws, ambient: int) -> None:
        """One draw after the other, in a loop of their own; what they move is ready afterwards."""
        level = max(ambient, self.in_memory(rule.stream[1]))
        level = max(level, self._needed(node, rule.parameters, node.outputs[1].type.ndim, level, node))
        level = max([level, *(self._before_scatter(read) for read in self.reads[node])])
        for out in node.outputs:
            self._barrier(out, level)

    def _place_library(self, node: Apply, rule: Library, ambient: int) -> None:
        level = ambient
        state = () if rule.stream is None else (rule.stream[1],)
        operands = [a for a in (*rule.arguments, rule.out_from, *state) if isinstance(a, Variable)]
        for v in operands:
            # Nests of the same level have run before the call; scalars and aliases belong to the start of a level.
            early = v.type.ndim == 0 or (v in self.ready and v.owner is not None and v not in self.fgraph_inputs
                                         and isinstance(self.rules[v.owner], Alias))
            level = max(level, self.in_memory(v) - (not early))
        for out in node.outputs:
            self._barrier(out, level)

    def _needed(self, node: Apply, rule: Any, ndim: int, ambient: int, key: Any) -> int:
        """The level at which all reads of an element rule can be served."""
        reads = self.reads[key] = reads_of(node, rule, ndim)
        return max([ambient, *(self._need(read, tuple(range(ndim))) for read in reads)])

    def _need(self, read: Read, order: tuple[int, ...]) -> int:
        v = read.variable
        if v.type.ndim == 0 or not self._is_inlined(v):
            return self.available(v)
        if read.identity and v not in self.kept:
            return self.level[v]
        if v in self.kept:
            return self.level[v] + (not read.identity)
        if self._cheap_to_inline(read, v, order):
            return self.level[v]
        self.kept.add(v)
        return self.level[v] + 1

    def _cheap_to_inline(self, read: Read, v: Variable, order: tuple[int, ...]) -> bool:
        """True where reading v at other indices computes no element of it more than once, or computing is cheap."""
        if not order and not read.same:
            return True
        if read.repeats(order):
            return self.cost[v] <= 1 and (read.opaque or v not in self.slow)
        if self.cost[v] <= AGAIN:
            return True
        if not order:
            return self.cost[v] <= 2 * EXPENSIVE or self.clients.get(v, 0) <= 1
        return self.clients.get(v, 0) <= 1

    def available(self, v: Variable) -> int:
        """The level from which on a scalar, or an array with a buffer, can be read."""
        if isinstance(v, Constant):
            return 0
        if v not in self.ready and v.type.ndim == 0:
            # A length that a rule has made: known by the scalar that it equals.
            known = self._scalar(v)
            return self.ready[known] if isinstance(known, Variable) else 0
        if self._is_inlined(v):
            return self.in_memory(v)
        return self.ready[v]

    def in_memory(self, v: Variable) -> int:
        """The same, keeping v in memory if it is not."""
        if isinstance(v, Constant):
            return 0
        if self._is_inlined(v):
            self.kept.add(v)
            return self.level[v] + 1
        return self.ready[v]

    def _place_checks(self, node: Apply) -> int:
        """Schedule the node's checks as soon as their operands are there; lengths shown equal are united."""
        latest = 0
        for check in self.checks[node]:
            scalars = [s if isinstance(s, int) else self._scalar(s) for s in _scalars_in(check)]
            level = max([0, *(self.available(s) for s in scalars if isinstance(s, Variable)),
                         *(self.in_memory(a) for a in _arrays_in(check))])
            latest = max(latest, level)
            if check.test == "equal":
                check = self._unite(check)
            elif check.test == "same_size" and self._same_size(check):
                continue
            if check.operands:
                self.check_steps.setdefault(node, []).append((level, check))
        return latest

    def _same_size(self, check: Check) -> bool:
        before, after = ([self.same.find(self._scalar(n)) for n in lengths] for lengths in check.operands)
        known_before = [n for n in before if n != 1]
        known_after = [n for n in after if n != 1]
        return sorted(map(id, known_before)) == sorted(map(id, known_after)) and len(known_before) == len(known_after)

    def _unite(self, check: Check) -> Check:
        """Only the operands that are not known to be equal yet; from here on they are."""
        lengths = [self._scalar(n) for n in check.operands]
        first, distinct = lengths[0], [lengths[0]]
        for n in lengths[1:]:
            if self.same.find(n) != self.same.find(first):
                distinct.append(n)
                a_first = self._known_at(self.same.find(first)) <= self._known_at(self.same.find(n))
                self.same.unite(first, n, prefer_a=a_first)
        operands = tuple(distinct) if len(distinct) > 1 else ()
        return Check("equal", operands, check.shown, check.report, check.node)

    def _known_at(self, length: Dim) -> tuple[int, int]:
        """The level at which a length is known, and its place there: what stands for another length is known before."""
        if not isinstance(length, Variable) or length.owner is None:
            return 0, -1
        return self.available(length), self.position.get(length.owner, -1)

    # Backwards -----------------------------------------------------------------------------------------------------

    def _dims(self, v: Variable) -> tuple[Dim, ...]:
        return tuple(self.same.find(n) for n in self.lengths(v))

    def _use(self, read: Read, site: Site, identity: bool = True) -> None:
        if self._is_inlined(read.variable):
            self.uses.setdefault(read.variable, {})[site, identity and read.identity
                                                    and len(read.same) == len(site.dims)] = None

    def _walk_back(self) -> None:
        for node in reversed(self.nodes):
            rule, out = self.rules[node], node.outputs[0]
            if isinstance(rule, Pointwise):
                self._choose_sites(node, out)
            elif isinstance(rule, Reduction):
                self._root(natural(self.level[out], self._dims(rule.source)), Root("reduce", out, rule.source, rule),
                           self.reads["reduce", node])
            elif isinstance(rule, (Search, Scan)):
                sources = _sources(rule)
                kind = "search" if isinstance(rule, Search) else "scan"
                self._root(self._ordered(out, rule), Root(kind, out, sources[0], rule), [whole(x) for x in sources])
            elif isinstance(rule, Writes):
                self._write_roots(node, rule, out)
            elif isinstance(rule, Draws):
                drawn = node.outputs[1]
                self._root(natural(self.level[out], self._dims(drawn), own=node), Root("draw", drawn, drawn, rule),
                           self.reads[node])

    def _root(self, site: Site, root: Root, reads: Sequence[Read]) -> None:
        self.roots.append((site, root))
        for read in reads:
            self._use(read, site)

    def _ordered(self, out: Variable, rule: Search | Scan) -> Site:
        """The axes that are searched or scanned innermost."""
        axes = rule.axes if isinstance(rule, Search) else (rule.axis,)
        source = _sources(rule)[0]
        order = (*(a for a in range(source.type.ndim) if a not in axes), *axes)
        return Site(self.level[out], self._dims(source), order)

    def _write_roots(self, node: Apply, rule: Writes, out: Variable) -> None:
        for k, part in reversed(list(enumerate(rule.parts))):
            site = natural(self.level[out], self._dims(part.domain), part.scattered)
            self._root(site, Root("part", out, part.domain, part), self.reads[node, k])
        if rule.base is not None:
            self._root(natural(self.base_level[out], self._dims(out)), Root("base", out, rule.base),
                       [whole(rule.base)])

    def _choose_sites(self, node: Apply, out: Variable) -> None:
        """Where the value of an elementwise node is computed, and where it is stored."""
        if out.type.ndim == 0:
            for read in self.reads[node]:
                self._use(read, natural(self.level[out], ()), identity=False)
            return
        uses = self.uses.get(out, {})
        store = self._storing_site(out, uses)
        computed: dict[tuple[Site, bool], None] = {}
        if store is not None:
            self.ready[out] = store.level + 1
            self.roots.append((store, Root("store", out, out)))
            computed[store, True] = None
        for site, identity in uses:
            if store is None or site.level <= store.level:
                computed[site, identity] = None
        for site, identity in computed:
            for read in self.reads[node]:
                self._use(read, site, identity)

    def _storing_site(self, out: Variable, uses: dict[tuple[Site, bool], None]) -> Site | None:
        """The nest that stores `out`; None where it is only ever a local."""
        own = natural(self.level[out], self._dims(out))
        sites = {site for site, _ in uses}
        if out in self.kept:
            return own
        if len(sites) <= 1 or self.cost[out] <= AGAIN:
            return None
        first = min(site.level for site in sites)
        for site, identity in uses:
            if identity and site in (natural(first, own.dims), natural(first, own.dims, scattered=True)):
                return site
        return own if own.level < first else natural(first, self._dims(out))

    # Order ---------------------------------------------------------------------------------------------------------

    def _steps(self) -> tuple[list[Step], list[int]]:
        """Level by level: scalars, checks and aliases; then loop nests; then library calls. And the level of each.

        What follows from the lengths of inputs comes first of all, so that one test can check it.
        """
        first: set[Variable] = {v for v in self.fgraph.inputs if v.type.ndim == 0}
        placed: list[tuple[int, int, Step]] = [(nest.site.level, 1, nest) for nest in self._nests()]
        for node in self.nodes:
            rule, out = self.rules[node], node.outputs[0]
            for level, check in self.check_steps.get(node, ()):
                early = not _arrays_in(check) and self._all_of(_scalars_in(check), first)
                placed.append((level, -early, CheckStep(check)))
            if isinstance(rule, (Pointwise, Extent)) and out.type.ndim == 0:
                early = self._is_length(node, rule, first)
                if early:
                    first.update((out, self._scalar(out)))
                placed.append((self.level[out], -early, ScalarStep(out)))
            elif isinstance(rule, Library):
                placed.append((self.level[out], 2, LibraryStep(node, rule)))
            elif isinstance(rule, Alias):
                placed.append((self.ready[out], 0, AliasStep(out, rule.source)))
        placed.sort(key=lambda entry: entry[:2])
        return [step for _, _, step in placed], [level for level, _, _ in placed]

    def _is_length(self, node: Apply, rule: Pointwise | Extent, first: set[Variable]) -> bool:
        """True for a length of an input, and for what is computed from such and integer inputs alone."""
        if isinstance(rule, Extent):
            return rule.source in self.fgraph_inputs
        return node.outputs[0].type.dtype == "int64" and self._all_of(node.inputs, first)

    def _all_of(self, scalars: Sequence[Any], first: set[Variable]) -> bool:
        known = [self._scalar(s) for s in scalars if not isinstance(s, int)]
        return all(not isinstance(s, Variable) or isinstance(s, Constant) or s in first for s in known)

    def _nests(self) -> list[Nest]:
        """Roots of one site share a nest."""
        nests: dict[Site, Nest] = {}
        for site, root in sorted(self.roots, key=lambda pair: self.position[pair[1].node]):
            nests.setdefault(site, Nest(site)).roots.append(root)
        return list(nests.values())


def _sources(rule: Search | Scan) -> tuple[Variable, ...]:
    return rule.sources if isinstance(rule, Scan) else (rule.source,)


def _scalars_in(check: Check) -> list[Any]:
    found: list[Any] = []
    for operand in (*check.operands, *check.shown):
        found += operand if isinstance(operand, tuple) else [operand]
    return [s for s in found if isinstance(s, int) or s.type.ndim == 0]


def _arrays_in(check: Check) -> list[Variable]:
    return [a for a in check.operands if isinstance(a, Variable) and a.type.ndim > 0]
