"""A trained network as one that runs fast: folded, written as a graph, quantised, exported, executed by a backend."""
