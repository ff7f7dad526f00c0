"""What the API takes and gives, as its OpenAPI says it. Times are ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from sfumato.app.service.store.access import LONGEST_NAME, Key, Role
from sfumato.app.service.store.jobs import LONGEST_REASON, Job

State = Literal["queued", "running", "done"]
Decided = Literal["real", "generated", "manipulated", "unsure"]
JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="As the upload was answered.")]
KeyId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


class Problem(BaseModel):
    """Why a request was not served: a word for programs, and a sentence."""

    code: str
    message: str


class JobShape(BaseModel):
    """A file that was handed in. verdict, review, status, score: of its record, null before there is one."""

    id: str
    name: str = Field(description="Of the file, made harmless; the record has it as its path.")
    size: int = Field(description="Bytes.")
    sha256: str
    uploaded: bool = Field(description="Whether the file is still kept.")
    state: State
    created: datetime
    started: datetime | None
    finished: datetime | None
    attempts: int = Field(description="How many workers had it in hand.")
    verdict: str | None
    review: bool | None = Field(description="Whether a person should look.")
    status: str | None
    score: float | None

    @classmethod
    def of(cls, job: Job) -> JobShape:
        return cls(
            id=job.id, name=job.name, size=job.size, sha256=job.sha256, uploaded=job.uploaded,
            state=job.state,  # type: ignore[arg-type]  # the queue knows no other
            created=when(job.created), started=maybe(job.started), finished=maybe(job.finished),
            attempts=job.attempts, verdict=job.verdict, review=job.review, status=job.status, score=job.score,
        )  # fmt: skip


class AddressIn(BaseModel):
    """Where a file lies, in place of it."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=8192, description="http or https, of a host that the service allows.")


class JobList(BaseModel):
    jobs: list[JobShape]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class RecordShape(BaseModel):
    """The record as `sfumato scan --json` writes it; docs/schemas/scan-record.schema.json has every part."""

    model_config = ConfigDict(extra="allow")

    schema_version: int
    file: dict[str, Any]
    verdict: str
    meaning: str
    review: bool
    score: float | None
    status: str


class DecisionIn(BaseModel):
    """What a reviewer says. Who says it follows from the key."""

    model_config = ConfigDict(extra="forbid")

    decision: Decided
    reason: str = Field("", max_length=LONGEST_REASON, pattern=r"^[^\x00]*$")


class DecisionShape(BaseModel):
    """A line of the export that `sfumato labels` reads."""

    model_config = ConfigDict(populate_by_name=True)

    version: int = Field(alias="schema")
    path: str
    sha256: str | None
    decision: Decided
    reviewer: str
    time: datetime
    reason: str
    verdict: str
    score: float | None
    model: str | None


class KeyIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    owner: str = Field(min_length=1, max_length=LONGEST_NAME, description="Whose jobs the key sees.")
    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="Who holds it; stands in decisions.")
    role: Role = "submit"
    webhook: str | None = Field(
        None, max_length=2000, pattern=r"^https?://[!-~]+$", description="Told of finished jobs."
    )


class KeyShape(BaseModel):
    id: str
    owner: str
    name: str
    role: Role
    created: datetime
    revoked: datetime | None
    webhook: str | None

    @classmethod
    def of(cls, key: Key) -> KeyShape:
        return cls(
            id=key.id, owner=key.owner, name=key.name, role=key.role, created=when(key.created),
            revoked=maybe(key.revoked), webhook=key.webhook,
        )  # fmt: skip


class NewKeyShape(BaseModel):
    """The secrets are shown this once."""

    key: KeyShape
    secret: str
    webhook_secret: str | None


class Health(BaseModel):
    status: Literal["ok"] = "ok"


def when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else when(seconds)
