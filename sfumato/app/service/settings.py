"""What the service is asked to be: folders, limits and times, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sfumato.errors import UsageError
from sfumato.limits import MEGABYTE

DATABASE = "service.sqlite3"
UPLOADS = "uploads"


@dataclass(frozen=True)
class ServiceSettings:
    """folder: holds uploads, and the database unless that is elsewhere; database: an SQLAlchemy URL, None for an SQLite
    file in the folder. Seconds, bytes and days throughout.
    """

    folder: Path
    database: str | None = None
    largest: int = 512 * MEGABYTE  # an hour of phone footage in HEVC; a public service takes less
    jobs_a_day: int = 1000  # of one owner
    requests_a_minute: int = 120  # of one key
    allow_url: frozenset[str] = frozenset()  # hosts that files are fetched from; none: no address is taken
    fetch_seconds: float = 60.0  # for one of them: a request waits for it
    retention_days: float | None = None  # None: uploads stay until they are deleted
    lease: float = 60.0  # a worker that is silent for so long has died
    attempts: int = 3  # workers that a file may cost before it is recorded as an error
    idle: float = 0.5  # between two looks at an empty queue
    body_grace: float = 30.0  # until when a body has to be going on at `body_rate`
    body_rate: int = 16 * 1024  # bytes a second, on the whole; slower is no connection that a video comes by
    session: float = 12 * 3600.0  # a working day
    grace: float = 30.0  # for work in hand when the service is told to end

    def __post_init__(self) -> None:
        for name in ("largest", "jobs_a_day", "requests_a_minute", "lease", "attempts", "idle", "body_rate", "session"):
            if getattr(self, name) <= 0:
                raise UsageError(f"{name} of the service must be above 0", "Give a larger number.")
        if self.retention_days is not None and self.retention_days <= 0:
            raise UsageError("The retention must be above 0 days", "Leave it out to keep uploads.")

    @property
    def uploads(self) -> Path:
        """Absolute: a process that judges goes into the folder of its file."""
        return self.folder.absolute() / UPLOADS

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.folder.absolute() / DATABASE}"
