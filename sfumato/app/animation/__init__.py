"""A portrait, a motion and a right to use them to a sealed video."""
