"""The few-shot generator of Zakharov et al. (arXiv 1905.08233), and the warp-guided family built on it."""
