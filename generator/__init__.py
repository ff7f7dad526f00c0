"""Living portraits: the networks of Zakharov et al. (2019), their training, and animation."""
