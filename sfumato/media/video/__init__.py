"""Video in and out: VideoReader streams frames in, GeneratedVideoWriter lets generated frames out, through a Seal
only.
"""

from sfumato.media.video.reader import Frame, VideoInfo, VideoReader
from sfumato.media.video.seal import GeneratedFacts, Seal
from sfumato.media.video.writer import GeneratedVideoWriter

__all__ = ["Frame", "GeneratedFacts", "GeneratedVideoWriter", "Seal", "VideoInfo", "VideoReader"]
