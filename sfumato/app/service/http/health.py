"""Whether the service is up, whether it is ready, and its numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sfumato.app.service.http.guard import Admin, TheService
from sfumato.app.service.http.problems import MEANT, Refused, may_answer
from sfumato.app.service.http.shapes import Health, Problem
from sfumato.app.service.store.queue import Depth, depth

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz", responses={503: {"model": Problem, "description": MEANT[503][1]}})
def ready(service: TheService) -> Health:
    """It can take files and judge them: database, disk and workers are there."""
    problem = service.ready()
    if problem is not None:
        raise Refused(503, problem)
    return Health()


@router.get(
    "/metrics", response_class=Response,
    responses=may_answer() | {200: {"content": {"text/plain": {}}, "description": "Prometheus's text format."}},
)  # fmt: skip
def metrics(service: TheService, key: Admin) -> Response:
    """Jobs by state, how long the first one waits, what was judged and in how many seconds; for an admin's key."""
    registry = CollectorRegistry()
    registry.register(_Numbers(depth(service.database)))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


class _Numbers(Collector):
    """All of them come from the database, so that every process of a service tells the same."""

    def __init__(self, found: Depth) -> None:
        self.found = found

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("sfumato_jobs", "Jobs by state", labels=["state"])
        for state, count in self.found.jobs.items():
            jobs.add_metric([state], count)
        yield jobs
        yield GaugeMetricFamily("sfumato_queue_age_seconds", "How long the first job waits", self.found.oldest)
        judged = CounterMetricFamily("sfumato_judged", "Jobs ever finished, by verdict", labels=["verdict"])
        took = CounterMetricFamily(
            "sfumato_judging_seconds", "Seconds in workers' hands, by verdict", labels=["verdict"]
        )
        for verdict, (count, seconds) in sorted(self.found.finished.items()):
            judged.add_metric([verdict], count)
            took.add_metric([verdict], seconds)
        yield judged
        yield took
        webhooks = GaugeMetricFamily("sfumato_webhooks", "Webhooks by state", labels=["state"])
        for state, count in sorted(self.found.webhooks.items()):
            webhooks.add_metric([state], count)
        yield webhooks
