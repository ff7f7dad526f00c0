"""Video in and out: VideoReader streams frames in, GeneratedVideoWriter lets generated frames out, through a Seal only."""

from sfumato.media.video.reader import Frame, VideoInfo, VideoReader

__all__ = ["Frame", "VideoInfo", "VideoReader"]
