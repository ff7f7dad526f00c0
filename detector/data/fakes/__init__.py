"""Fakes made on the fly from real pictures, one kind a file. Each has its real twin: same picture, same crop."""
