"""Measurements that can be repeated: quality, detection, speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfumato.registry import lazy_names

if TYPE_CHECKING:
    from benchmarks.metrics.image_metrics import ImageMetrics as ImageMetrics

_PUBLIC = {
    "ImageMetrics": "benchmarks.metrics.image_metrics:ImageMetrics",
}
__all__ = ["ImageMetrics"]
__getattr__ = lazy_names(__name__, _PUBLIC)
