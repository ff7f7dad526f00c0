"""Opens media files safely: a path in, a PyAV container out, or one clear error.

Media files may be hostile. Only regular local files are opened, only by demuxers that read nothing but that file (a
playlist can name any other file or address), with a bound on the size of a frame.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfumato.errors import MediaError
from sfumato.execution.file_kinds import file_kind
from sfumato.limits import FRAME_PIXELS, FRAME_SIDE
from sfumato.media.media_file import require_media_file

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

_DAMAGE_LIMIT = 200  # errors in a row without one readable packet: the rest of the file is lost
_FORMATS = (  # demuxers by FFmpeg's names; none of them follows a reference to another file
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,ivf,obu,flv,asf,ogg,mxf,nut,dv,gif,apng,yuv4mpegpipe,"
    "wav,mp3,aac,flac"
)
_TOO_LARGE = "Downsize the video first."
_ADVICE = "Use a video file (mp4, mov, mkv, webm, avi, mpg)."


def open_media(path: Path) -> InputContainer:
    """Opens a local audio or video file for reading; the caller closes it.

    Raises MediaError: missing, a folder, not a regular file, 0 bytes, cut off (an mp4 whose index is missing), no
    media.
    """
    import av

    require_media_file(path, "video")
    if (found := file_kind(path)) is not None and found.kind == "picture":  # FFmpeg reads some as videos of one frame
        raise MediaError(f"{path} is a picture ({found.name}), not a video", _ADVICE)
    try:
        container = av.open(
            f"file:{path.absolute()}",  # the prefix keeps a name such as "concat:a|b" a name
            mode="r",
            container_options={"protocol_whitelist": "file", "format_whitelist": _FORMATS},
            options={"max_pixels": str(FRAME_PIXELS.most)},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError, UnicodeError) as error:
        raise _explain(path, error) from error
    return container


def choose_video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The default video stream; of several, or of none, the one that FFmpeg's players take. A song's cover picture does
    not count.

    Raises MediaError if there is none, or if its frames are absurdly large.
    """
    from av.stream import Disposition

    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        what = "holds sound but no video" if container.streams.audio else "holds no video"
        raise MediaError(f"{path} {what}", _ADVICE)
    streams = [stream for stream in streams if stream.codec_context is not None]
    if not streams:
        raise MediaError(f"{path} holds video of an unknown kind", "Convert it to mp4 with H.264.")
    streams = [stream for stream in streams if stream.frames != 1] or streams  # a moving AVIF holds a still as well
    stream: VideoStream = _best(container, streams, None)
    check_size(path, stream.codec_context.width, stream.codec_context.height)
    return stream


def choose_sound_stream(path: Path, container: InputContainer, video: VideoStream | None) -> AudioStream:
    """The default sound stream; of several, or of none, the one that FFmpeg's players take with `video`.

    Raises MediaError if there is none.
    """
    streams = [stream for stream in container.streams.audio if stream.codec_context is not None]
    if not streams:
        raise MediaError(f"{path} has no sound", "Leave the sound out, or name a file that has some.")
    stream: AudioStream = _best(container, streams, video)
    return stream


def read_packets(
    container: InputContainer, streams: Sequence[Stream], damaged: Callable[[], None] = lambda: None
) -> Iterator[Packet[Any]]:
    """The packets of `streams` that hold something, in the order of the file; goes on after errors of the demuxer, each
    of which is told to `damaged`.
    """
    import av

    errors = 0
    while errors < _DAMAGE_LIMIT:
        try:
            for packet in container.demux(*streams):
                if packet.size == 0 and packet.dts is None:  # PyAV's own packets at the end, which flush a decoder
                    continue
                errors = 0
                yield packet
            return
        except av.FFmpegError:
            errors += 1
            damaged()


def _best(container: InputContainer, streams: Sequence[Any], related: Stream | None) -> Any:
    """The default among `streams`, all of one type; FFmpeg's own choice settles what is left open."""
    from av.stream import Disposition

    default = [stream for stream in streams if stream.disposition & Disposition.default] or streams
    best = container.streams.best(streams[0].type, related=related)
    return best if best in default else default[0]


def check_size(path: Path, width: int, height: int) -> None:
    """Raises MediaError for a frame over the limits."""
    named = f"{path} declares frames of {width} x {height} pixels: it"
    FRAME_SIDE.hold(named, max(width, height), advice=_TOO_LARGE)
    FRAME_PIXELS.hold(named, width * height, advice=_TOO_LARGE)


def _explain(path: Path, error: Exception) -> MediaError:
    if isinstance(error, PermissionError):
        return MediaError(f"{path} may not be read", "Change its permissions.")
    boxes = _top_level_boxes(path)
    if boxes and boxes[0] in ("ftyp", "mdat", "wide", "free", "skip") and "moov" not in boxes:
        return MediaError(
            f"{path} is cut off: its index (moov) is missing",
            "Copy or download it completely; a recording that was interrupted needs a repair tool such as untrunc.",
        )
    return MediaError(f"{path} is not a video, or too damaged to open", _ADVICE)


def _top_level_boxes(path: Path, limit: int = 64) -> list[str]:
    """The names of the boxes at the top of an ISO media file (mp4, mov), as far as they can be followed."""
    names: list[str] = []
    try:
        with path.open("rb") as file:
            while len(names) < limit:
                header = file.read(8)
                if len(header) < 8:
                    break
                size, name = struct.unpack(">I4s", header)
                if not name.isalnum():
                    break
                names.append(name.decode("latin-1"))
                used = 8
                if size == 1:
                    size, used = struct.unpack(">Q", file.read(8))[0], 16
                if size < used:
                    break
                file.seek(size - used, 1)
    except (OSError, struct.error, OverflowError):
        pass
    return names
