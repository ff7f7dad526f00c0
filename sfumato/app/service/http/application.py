"""The application: a service in, an ASGI application out."""

from __future__ import annotations

from fastapi import FastAPI

from sfumato.app.service.http import health, job_routes, key_routes, pages
from sfumato.app.service.http.bodies import App, Bodies
from sfumato.app.service.http.guard import Service
from sfumato.app.service.http.problems import answer_problems
from sfumato.version import __version__


def application(service: Service) -> App:
    """What uvicorn runs. Its OpenAPI is at /openapi.json; pages for it would load scripts from elsewhere."""
    app = FastAPI(
        title="sfumato", version=__version__, docs_url=None, redoc_url=None,
        description="Files in, records of what they are out. Verdicts are never `real` and never `fake`.",
    )  # fmt: skip
    app.state.service = service
    answer_problems(app)
    for each in (job_routes, key_routes, health, pages):
        app.include_router(each.router)
    return Bodies(app, service.settings, job_routes.UPLOADS)
