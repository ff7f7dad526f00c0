"""sfumato: living portraits that say what they are, and a judge for those that do not.

What Python programs may rely on stands here and in the `__init__` of generator, detector, provenance and benchmarks:
docs/python.md shows it. All else is internal and may change with any release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfumato.execution.telemetry import turn_off_telemetry
from sfumato.registry import lazy_names
from sfumato.version import __version__

turn_off_telemetry()  # here, since libraries look for this when they are imported, and every process of ours comes by

if TYPE_CHECKING:
    from sfumato.app.animation.animate import animate as animate
    from sfumato.app.animation.config import AnimateConfig as AnimateConfig
    from sfumato.app.animation.living_portrait import LivingPortrait as LivingPortrait
    from sfumato.app.scan.record import ScanRecord as ScanRecord
    from sfumato.app.scan.scanner import Scanner as Scanner
    from sfumato.errors import SfumatoError as SfumatoError

_PUBLIC = {
    "animate": "sfumato.app.animation.animate:animate",
    "AnimateConfig": "sfumato.app.animation.config:AnimateConfig",
    "LivingPortrait": "sfumato.app.animation.living_portrait:LivingPortrait",
    "Scanner": "sfumato.app.scan.scanner:Scanner",
    "ScanRecord": "sfumato.app.scan.record:ScanRecord",
    "SfumatoError": "sfumato.errors:SfumatoError",
}
__all__ = ["__version__", "animate", "AnimateConfig", "LivingPortrait", "Scanner", "ScanRecord", "SfumatoError"]
__getattr__ = lazy_names(__name__, _PUBLIC)
