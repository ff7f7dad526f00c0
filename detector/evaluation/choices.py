"""What an evaluation lets its user choose, by name. Light: commands read it for their options.

In: nothing. Out: the levels, aggregators, policies and units, as types and as tuples.
"""

from __future__ import annotations

from typing import Literal, get_args

Level = Literal["frame", "video", "track"]
Aggregator = Literal["mean", "max", "top-k", "confident", "logit-mean", "top-third"]
NoFace = Literal["drop", "half", "abstain"]
Unit = Literal["source", "identity", "video"]
LEVELS: tuple[Level, ...] = get_args(Level)
AGGREGATORS: tuple[Aggregator, ...] = get_args(Aggregator)
NO_FACE: tuple[NoFace, ...] = get_args(NoFace)
UNITS: tuple[Unit, ...] = get_args(Unit)
