"""nbgraph: symbolic array expressions, their gradients, and one native function for all of it."""

from nbgraph.config import config

__version__ = "0.1.0"
