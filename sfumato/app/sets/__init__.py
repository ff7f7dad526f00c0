"""Sets of fakes, each beside its real twin, for others to use: made by recipe, checked, written in other forms."""
