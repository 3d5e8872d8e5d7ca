"""Rewriting: pattern matching, the driver, the list of passes, rules by subject.

    fgraph, report = rewrite(fgraph, FAST_RUN)
"""

from nbgraph.rewrites.check import check_rule
from nbgraph.rewrites.driver import apply_rules
from nbgraph.rewrites.passes import FAST_COMPILE, FAST_RUN, Pass, Report, rewrite
from nbgraph.rewrites.rule import Rule, node_rule, rule

__all__ = ["FAST_COMPILE", "FAST_RUN", "Pass", "Report", "Rule", "apply_rules", "check_rule", "node_rule", "rewrite",
           "rule"]
