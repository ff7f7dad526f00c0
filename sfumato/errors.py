"""Every error a user can meet: what happened, and what to do about it.

Libraries raise these; only the command line catches them. `exit_code` is what the process ends with
(docs/exit-codes.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sfumato.exit_codes import ExitCode


def install_extra(extra: str) -> str:
    """The advice for a package of an extra that is not installed."""
    return f"In the folder of the source, run: pip install -e '.[{extra}]'."


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The one of `known` that `name` was probably meant to be; capitals, spaces and underscores count for nothing."""
    import difflib

    plain = str(name).strip().lower().replace(" ", "-").replace("_", "-")
    return next(iter(difflib.get_close_matches(plain, list(known), n=1)), None)


def choose_from(name: object, known: Iterable[str], what: str = "") -> str:
    """The advice for an unknown name: the nearest, if one is near; then `what` else would do, and all that is known."""
    names = list(known)
    near = nearest(name, names)
    return (f"Did you mean {near!r}? " if near else "") + f"Choose {what}one of: {', '.join(names)}."


class SfumatoError(Exception):
    """Base of all errors raised on purpose. `message` says what happened, `advice` what to do."""

    exit_code = ExitCode.REQUEST

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.advice}" if self.advice else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        """As it was, advice included, when it comes out of another process."""
        return _rebuilt, (type(self), self.message, self.__dict__)


def _rebuilt(kind: type[SfumatoError], message: str, state: dict[str, Any]) -> SfumatoError:
    error = kind.__new__(kind, message)
    error.__dict__.update(state)
    return error


class UsageError(SfumatoError):
    """The request contradicts itself or names something that does not exist."""


class ConfigError(SfumatoError):
    """A configuration file or `--set` names an unknown key or a value out of range."""


class MissingPartError(SfumatoError):
    """An optional package or a weights file is needed and is not on this machine."""


class CheckpointError(SfumatoError):
    """A checkpoint is missing, damaged, of an unknown format, or does not fit the request."""


class OutputError(SfumatoError):
    """An output cannot be written: read-only folder, full disk, destination equals source."""


class SealError(SfumatoError):
    """A generated video could not be sealed; nothing was written."""


class MediaError(SfumatoError):
    """An input file cannot be read as what it should be."""

    exit_code = ExitCode.INPUT


class MissingFileError(MediaError):
    """An input file or folder is not there."""

    def __init__(self, message: str, advice: str = "Check its name.") -> None:
        super().__init__(message, advice)


class FetchError(MediaError):
    """What an address leads to cannot be had, or may not be. The text holds no secret of the address."""


class NoFaceError(MediaError):
    """No usable face was found in the input."""


class SfumatoWarning(UserWarning):
    """Something went wrong that does not spoil the result. The command line shows it as one line on stderr."""
