"""What a set is written as for others: one form a file, and a line here. A form is a function of a `Job`."""

from __future__ import annotations

from sfumato.registry import Registry

REGISTRY = Registry(
    "form of a set",
    {
        "card": "sfumato.app.sets.forms.card:write_card",
        "croissant": "sfumato.app.sets.forms.croissant:write_croissant",
        "deepfakebench": "sfumato.app.sets.forms.deepfakebench:write_bench",
        "huggingface": "sfumato.app.sets.forms.hub_card:write_hub",
        "parquet": "sfumato.app.sets.forms.parquet:write_parquet",
    },
)
FRAMES = 32  # of a video that are cut for DeepfakeBench, unless said
