"""How good a detector is: protocols, metrics, intervals, leakage, shortcuts."""
