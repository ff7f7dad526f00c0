"""The routes of jobs: hand a file in, ask how far it is, fetch its record, decide, delete."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from provenance.formats.containers import FORMATS
from sfumato.app.scan.verdict import VERDICTS
from sfumato.app.service.http.guard import Reviewer, Submitter, TheService
from sfumato.app.service.http.problems import Refused, may_answer
from sfumato.app.service.http.shapes import (
    AddressIn,
    DecisionIn,
    DecisionShape,
    JobId,
    JobList,
    JobShape,
    RecordShape,
    State,
)
from sfumato.app.service.http.uploads import address_in, fetch_upload, is_address, receive_upload
from sfumato.app.service.store.jobs import Asked, new_id
from sfumato.errors import UsageError
from sfumato.text import json_line

UPLOADS = "/v1/jobs"
router = APIRouter(tags=["jobs"])
_FILE = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/json": {"schema": AddressIn.model_json_schema()},
    },
}
_LINES: dict[int | str, dict[str, Any]] = {
    200: {"description": "JSON lines.", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
}
_PLAYED = ("video/", "image/", "audio/")


@router.post(
    UPLOADS, status_code=202, response_model=JobShape, responses=may_answer(415, 507),
    openapi_extra={"requestBody": _FILE},
)  # fmt: skip
async def submit(
    request: Request, service: TheService, key: Submitter,
    name: Annotated[str, Query(max_length=1000, description="Of a file that is the body itself.")] = "upload",
) -> JobShape:  # fmt: skip
    """Hand a file in, or the address of one at a host that is allowed. It is judged as soon as a worker is free."""
    job_id, settings, jobs = new_id(), service.settings, service.jobs
    if not await run_in_threadpool(jobs.has_room, key.owner, settings.jobs_a_day):
        raise _had_enough()
    folder = settings.uploads / job_id
    if is_address(request):
        got = await fetch_upload(await address_in(request), folder, settings, service.fetches)
    else:
        got = await receive_upload(request, folder, name, settings.largest)
    try:
        if not await run_in_threadpool(jobs.count_one, key.owner, settings.jobs_a_day):
            raise _had_enough()
        job = await run_in_threadpool(jobs.add, job_id, key.owner, key.id, got.name, got.size, got.sha256)
    except BaseException:
        await run_in_threadpool(jobs.forget, job_id)
        raise
    return JobShape.of(job)


@router.get(UPLOADS, responses=may_answer())
def listed(
    service: TheService, key: Submitter, state: State | None = None, verdict: str | None = None,
    review: bool | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> JobList:  # fmt: skip
    """The owner's jobs, the newest first, a page at a time."""
    if verdict is not None and verdict not in VERDICTS:
        raise UsageError("There is no such verdict", f"Choose one of: {', '.join(VERDICTS)}.")
    found, after = service.jobs.page(key.owner, Asked(state, verdict, review), limit, cursor)
    return JobList(jobs=[JobShape.of(job) for job in found], next=after)


@router.get(UPLOADS + "/{job_id}", responses=may_answer(404))
def status(service: TheService, key: Submitter, job_id: JobId) -> JobShape:
    """How far a job is."""
    job = service.jobs.find(key.owner, job_id)
    if job is None:
        raise Refused(404)
    return JobShape.of(job)


@router.get(UPLOADS + "/{job_id}/record", response_model=RecordShape, responses=may_answer(404, 409))
def record(service: TheService, key: Submitter, job_id: JobId) -> Response:
    """The record, as the scan wrote it."""
    if service.jobs.find(key.owner, job_id) is None:
        raise Refused(404)
    line = service.jobs.record(key.owner, job_id)
    if line is None:
        raise Refused(409)
    return Response(line, media_type="application/json")


@router.get(
    UPLOADS + "/{job_id}/file", response_class=FileResponse,
    responses=may_answer(404, 410, 416) | {
        200: {"content": {"application/octet-stream": {}}, "description": "The file."},
        206: {"content": {"application/octet-stream": {}}, "description": "A range of it."},
    },
)  # fmt: skip
def upload(service: TheService, key: Submitter, job_id: JobId) -> FileResponse:
    """The file that was handed in, whole or a range of it."""
    job = service.jobs.find(key.owner, job_id)
    if job is None:
        raise Refused(404)
    path = service.jobs.file(job.id, job.name)
    if not job.uploaded or not path.is_file():
        raise Refused(410)
    kind = FORMATS.get(path.suffix.lower(), "")
    plays = kind.startswith(_PLAYED) and "svg" not in kind  # an SVG may hold a script
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"}
    return FileResponse(
        path, media_type=kind if plays else "application/octet-stream", filename=job.name, headers=headers,
        content_disposition_type="inline" if plays else "attachment",
    )  # fmt: skip


@router.delete(UPLOADS + "/{job_id}", status_code=204, responses=may_answer(404))
def remove(service: TheService, key: Submitter, job_id: JobId) -> None:
    """Delete a job: its file, its record, what was decided of it."""
    if not service.jobs.remove(key.owner, job_id):
        raise Refused(404)


@router.put(UPLOADS + "/{job_id}/decision", responses=may_answer(404))
def decide(service: TheService, key: Reviewer, job_id: JobId, said: DecisionIn) -> DecisionShape:
    """Say what a file is, as the reviewer that the key is of; in place of what the same one said before."""
    try:
        line = service.jobs.decide(key.owner, job_id, key.id, key.name, said.decision, said.reason)
    except KeyError as error:
        raise Refused(404, "There is no such record.") from error
    return DecisionShape(**line)


@router.delete(UPLOADS + "/{job_id}/decision", status_code=204, responses=may_answer(404))
def take_back(service: TheService, key: Reviewer, job_id: JobId) -> None:
    """Take one's own decision back."""
    if not service.jobs.take_back(key.owner, job_id, key.name):
        raise Refused(404, "There is no decision of this reviewer.")


@router.get(UPLOADS + "/{job_id}/decisions", responses=may_answer(404))
def decisions(service: TheService, key: Submitter, job_id: JobId) -> list[DecisionShape]:
    """What every reviewer said of a job."""
    if service.jobs.find(key.owner, job_id) is None:
        raise Refused(404)
    return [DecisionShape(**line) for line in service.jobs.decided(key.owner, job_id)]


@router.get("/v1/decisions", response_class=Response, responses=may_answer() | _LINES)
def export(service: TheService, key: Reviewer) -> Response:
    """All decisions on the owner's files, as JSON lines that `sfumato labels` reads."""
    lines = "".join(json_line(line) + "\n" for line in service.jobs.decided(key.owner))
    named = {"Content-Disposition": 'attachment; filename="decisions.jsonl"'}
    return Response(lines, media_type="application/x-ndjson", headers=named)


def _had_enough() -> Refused:
    return Refused(429, "The owner has had the jobs of today.", Retry_After="3600")
