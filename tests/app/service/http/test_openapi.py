"""The API against its own description: whatever it is sent, it answers as it says, and never with a fault."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sfumato.app.service.http.problems import EVERYWHERE


def test_nothing_that_is_sent_is_a_fault_and_every_answer_is_declared(served: Any) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

    service = served(requests_a_minute=10**6, jobs_a_day=10**6)
    client = service.client(role="admin")
    job = client.post("/v1/jobs", files={"file": ("a.mp4", b"1")}).json()["id"]
    service.judge_all()
    headers = {"Authorization": f"Bearer {client.made.secret}"}
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    schema = schemathesis.openapi.from_url(f"{service.address}/openapi.json")
    answers: set[int] = set()
    for found in schema.get_all_operations():
        operation = found.ok()
        modes = [operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode]

        @given(case=st.one_of(modes), known=st.booleans())
        @settings(max_examples=16, suppress_health_check=list(HealthCheck))
        def hold(case: Any, known: bool) -> None:
            if known and "job_id" in (case.path_parameters or {}) and case.method in ("GET", "PUT"):
                case.path_parameters["job_id"] = job
            response = case.call(base_url=service.address, headers=headers)
            answers.add(response.status_code)
            case.validate_response(response, checks=checks)

        hold()
    assert {200, 202, 404, 422} <= answers


def test_every_route_says_which_errors_it_may_give(served: Any) -> None:
    paths = served().client().get("/openapi.json").json()["paths"]
    assert len(paths) > 8
    for path, methods in paths.items():
        for method, route in methods.items():
            if path.startswith(("/v1", "/metrics")):
                missing = {str(status) for status in EVERYWHERE} - set(route["responses"])
                assert missing == set(), f"{method} {path}"
                assert route["security"], f"{method} {path}"
