"""Colours of pictures: what a file says its numbers mean, and the way from there to sRGB."""

from sfumato.media.colour.conversion import to_srgb
from sfumato.media.colour.statement import Statement, stated_colours

__all__ = ["Statement", "stated_colours", "to_srgb"]
