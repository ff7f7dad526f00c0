"""What a stranger's file may ask of this machine, in one table. In: a count, a size or a depth. Out: nothing, or one
clear error.

Every limit is held before a library sees what it is about. It lies well above what honest files have; docs/limits.md
shows the table, and a test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sfumato.errors import MediaError, SfumatoError

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limit:
    """most: how many may be; of: of what, in the plural; where: whose; reason: why honest files stay below."""

    most: int
    of: str
    where: str
    reason: str

    def hold(
        self,
        source: object,
        found: int,
        error: type[SfumatoError] = MediaError,
        advice: str = "No honest file needs that many; look at where it came from.",
    ) -> None:
        """Raises `error` about `source` if `found` is more than may be."""
        if found > self.most:
            raise error(f"{source} has {shown(found, self.of)}; the limit is {shown(self.most, self.of)}", advice)


def shown(count: int, of: str) -> str:
    """A count for people: megabytes where bytes are counted, megapixels for pixels."""
    for unit, size, name in (("bytes", MEGABYTE, "MB"), ("pixels", 10**6, "megapixels")):
        if of.startswith(unit) and count >= size:
            return f"{count // size} {name}{of.removeprefix(unit)}"
    return f"{count} {of}"


# Pictures
PICTURE_PIXELS = Limit(150_000_000, "pixels", "a picture", "a phone's largest photo has 108 megapixels")
PICTURE_MEMORY = Limit(
    512 * MEGABYTE,
    "bytes of decoded picture",
    "a picture",
    "4 a pixel of a JPEG or PNG in colour, 10 of a progressive JPEG, 16 of WebP and JPEG 2000",
)
PICTURES_IN_ONE = Limit(20_000, "pictures", "an animated PNG or GIF", "13 minutes at 25 a second")
SEGMENTS = Limit(10_000, "segments", "JPEG", "a depth map of 100 MB takes 1600")
PDF_OBJECTS = Limit(128 * MEGABYTE, "bytes of packed objects", "PDF", "a book of a thousand pages has 10 MB")
SCANS = Limit(100, "scans", "JPEG", "encoders make ten; each goes over the whole picture")
# Containers
CHUNKS = Limit(50_000, "chunks", "PNG, WebP, GIF, AVI (without its frames)", "a PNG of 400 MB in pieces of 8 kB")
CHUNK_DEPTH = Limit(16, "lists in lists", "AVI, WebP", "an AVI has three")
BOXES = Limit(10_000, "boxes side by side", "mp4, mov, HEIF, JUMBF", "an hour and a half in fragments of a second")
ALL_BOXES = Limit(100_000, "boxes", "mp4, mov, HEIF, JUMBF", "those fragments have eight each")
BOX_DEPTH = Limit(32, "boxes in boxes", "mp4, mov, HEIF, JUMBF", "a video has six, a manifest store ten")
TRACKS = Limit(100, "tracks", "mp4, mov", "a film with twenty languages and their subtitles")
EDITS = Limit(10_000, "edits", "a track of an mp4 or mov", "a film that was cut has one a cut")
SAMPLES = Limit(20_000_000, "samples", "all tracks of an mp4 or mov", "30 hours at 60 a second, with sound")
# Video
FRAME_SIDE = Limit(8192, "pixels a side", "a frame", "8K")
FRAME_PIXELS = Limit(36_000_000, "pixels", "a frame", "8K has 33 megapixels; a decoder holds up to 17 frames")
PIXELS_ANYWAY = Limit(400_000_000, "pixels of all frames together", "a video of any size", "8 s of 1080p")
PIXELS_A_BYTE = Limit(50_000, "pixels a byte of the file beyond them", "a video", "a still in H.264 has up to 40 000")
# Files that are read whole
SETTINGS = Limit(MEGABYTE, "bytes", "a TOML file", "the longest preset has 4 kB")
MANIFEST = Limit(MEGABYTE, "bytes", "a manifest definition", "the longest sample of c2patool has 5 kB")
JSON_DEPTH = Limit(32, "levels", "a manifest definition", "a region of interest in an action has ten")
ASSERTIONS = Limit(100, "assertions", "a manifest definition", "a news picture has three")
ACTIONS = Limit(100, "actions", "a manifest definition", "a long edit names thirty")
INGREDIENTS = Limit(100, "ingredients", "a manifest definition", "a wall of pictures has fifty")
RECORD = Limit(64 * MEGABYTE, "bytes", "a JSON file", "the index of the largest public data set has 30 MB")
LINE = Limit(MEGABYTE, "characters", "a line of clips.jsonl", "a row has a few hundred")
SET_ROWS = Limit(1_000_000, "rows", "a set of fakes", "the largest public set has a hundred thousand clips")
AUDIT_LINE = Limit(MEGABYTE, "bytes", "a line of an audit log", "a verdict has 1 kB, a signed head 4 kB")
ROWS = Limit(200_000, "rows", "a shard of prepared footage", "two hours at 25 a second")
NAMES = Limit(65536, "bytes", "a name in a list on standard input", "systems take 4096")
TRUST = Limit(32 * MEGABYTE, "bytes", "a file of certificates", "Mozilla's 140 roots are 220 kB")
CERTIFICATES = Limit(10_000, "certificates", "a trust list", "Mozilla's list has 140")
SIDECAR = Limit(256 * MEGABYTE, "bytes", "a manifest beside its file", "a few MB with thumbnails")
# Networks
TENSORS_HEADER = Limit(16 * MEGABYTE, "bytes of header", "safetensors", "150 bytes a tensor")
TENSORS = Limit(4096 * MEGABYTE, "bytes", "safetensors", "the largest preset has 700 MB")
JUDGED_FRAMES = Limit(10_000, "frames of a video", "a detector's record", "`--frames` takes no more")
NETWORK = Limit(1024 * MEGABYTE, "bytes", "a detector's network", "ConvNeXt-Large has 790 MB")
NODES = Limit(10_000, "nodes", "a detector's network", "ConvNeXt-Large has 700")
VALUE = Limit(2**28, "numbers in one value", "a detector's network, for 16 crops", "a first layer at 512 px has 2**27")
WORK = Limit(2**38, "multiply-adds a crop", "a detector's network", "ConvNeXt-Large at 384 px has 2**37")


def table() -> list[tuple[str, Limit]]:
    """Every limit under its name here, in the order of this file."""
    found: dict[str, Any] = globals()
    return [(name, value) for name, value in found.items() if isinstance(value, Limit)]
