"""The command line of the compile cache.

    python -m nbgraph.cache info      where compiled functions are kept, how many, how large
    python -m nbgraph.cache clear     remove them
"""
