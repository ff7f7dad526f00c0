"""The C2PA library's interface for those who lay out a file themselves: five of its C functions that its Python package
does not wrap.

In: a `c2pa.Builder`. Out: the manifest store, as a box for the file, first as a placeholder, then signed. Used for
large videos (see provenance/library/large.py); the functions are part of the library's published C header, so they are
called only in releases that were tried, and `available` says no to every other one.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

TRIED = ("0.38.",)  # releases of c2pa-python
FUNCTIONS = {  # name -> (arguments, result)
    "c2pa_builder_placeholder": ("builder format out", ctypes.c_int64),
    "c2pa_builder_set_fixed_size_merkle": ("builder size", ctypes.c_int),
    "c2pa_builder_hash_mdat_bytes": ("builder size buffer size flag", ctypes.c_int),
    "c2pa_builder_update_hash_from_stream": ("builder format stream", ctypes.c_int),
    "c2pa_builder_sign_embeddable": ("builder format out", ctypes.c_int64),
}
BYTES = ctypes.POINTER(ctypes.c_ubyte)
TYPES: dict[str, Any] = {
    "builder": ctypes.c_void_p,
    "format": ctypes.c_char_p,
    "out": ctypes.POINTER(BYTES),
    "size": ctypes.c_size_t,
    "buffer": ctypes.c_void_p,
    "flag": ctypes.c_bool,
    "stream": ctypes.c_void_p,
}


@cache
def available() -> bool:
    """True if the installed library is of a release that was tried, and has the functions."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        if not version("c2pa-python").startswith(TRIED):
            return False
        library = _library()
    except (PackageNotFoundError, ImportError, AttributeError):
        return False
    return all(hasattr(library, name) for name in FUNCTIONS)


class Embedding:
    """One manifest store on its way into a file that somebody else lays out. Every method raises C2paError."""

    def __init__(self, builder: Any, media_type: str) -> None:
        self._builder = builder  # kept: the handle lives as long as it
        self._handle = ctypes.cast(builder._handle, ctypes.c_void_p)
        self._format = media_type.encode("ascii")

    def placeholder(self) -> bytes:
        """A box as large as the store will be, but for the hashes of the pieces."""
        return self._bytes("c2pa_builder_placeholder")

    def hash_in_pieces(self, kilobytes: int) -> None:
        self._call("c2pa_builder_set_fixed_size_merkle", kilobytes)

    def hash_media(self, number: int, buffer: ctypes.Array[ctypes.c_char], size: int) -> None:
        """The next `size` bytes of media of mdat `number`, which has a header of 16 bytes; in the order of the file."""
        self._call("c2pa_builder_hash_mdat_bytes", number, ctypes.addressof(buffer), size, True)

    def hash_rest(self, file: Any) -> None:
        """Everything but the media, from the output as it stands, with the room for the store in its place."""
        from c2pa.c2pa import Stream

        stream = Stream(file)
        try:
            self._call(
                "c2pa_builder_update_hash_from_stream", self._format, ctypes.cast(stream._stream, ctypes.c_void_p)
            )
        finally:
            stream.close()

    def sign(self) -> bytes:
        """The signed store as a box."""
        return self._bytes("c2pa_builder_sign_embeddable")

    def _bytes(self, name: str) -> bytes:
        found = BYTES()
        size = self._call(name, self._format, ctypes.byref(found))
        try:
            return ctypes.string_at(found, size)
        finally:
            _library().c2pa_free(found)

    def _call(self, name: str, *arguments: Any) -> int:
        from c2pa import C2paError
        from c2pa.c2pa import _native_section, _read_native_error

        with _native_section():
            result: int = _function(name)(self._handle, *arguments)
            if result < 0:
                raise C2paError(_read_native_error() or f"{name} failed without a reason")
        return result


@cache
def _function(name: str) -> Any:
    arguments, result = FUNCTIONS[name]
    function = getattr(_library(), name)
    function.argtypes = [TYPES[argument] for argument in arguments.split()]
    function.restype = result
    return function


def _library() -> Any:
    from c2pa.c2pa import _lib

    return _lib
