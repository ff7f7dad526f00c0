"""Metrics of pictures and of scores."""
