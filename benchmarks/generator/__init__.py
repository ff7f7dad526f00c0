"""The generator measured: likeness and geometry, other people's motion, speed."""
