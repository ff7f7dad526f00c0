"""Watermark and recovery measured: what they outlive, what they cost."""
