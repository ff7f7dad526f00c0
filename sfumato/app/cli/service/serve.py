"""`sfumato serve` and `sfumato service work`: they parse, run the service, print its address and a first key."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from sfumato import options
from sfumato.app.cli.service import options as shared
from sfumato.limits import MEGABYTE


@click.command("serve")
@shared.folder()
@shared.database()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@options.number("--port", 8000, click.IntRange(0, 65535), "Port; 0 for any that is free.")
@shared.judging
@options.number("--largest", 512, click.IntRange(1), "MB of one upload.")
@options.number("--jobs-a-day", 1000, click.IntRange(1), "Of one owner.")
@options.number("--requests-a-minute", 120, click.IntRange(1), "Of one key.")
@click.option("--retention", metavar="DAYS", type=click.FloatRange(0, min_open=True), help="Remove uploads after that.")
@options.several("--allow-url", "allow_url", "Take addresses of files at this host too; repeatable.", metavar="HOST")
@click.option("--no-workers", is_flag=True, help="The API alone; sfumato service work judges elsewhere.")
def serve(
    folder: Path, database: str | None, host: str, port: int, workers: int, trust: tuple[Path, ...],
    allowed_list: tuple[Path, ...], repository: str | None, model: Path | None, timeout: float, memory: int,
    audit: Path | None, largest: int, jobs_a_day: int, requests_a_minute: int, retention: float | None,
    allow_url: tuple[str, ...], no_workers: bool,
) -> None:  # fmt: skip
    """Run the service: files come in over HTTP, records go out, people review in the browser.

    The first start prints an admin's key, once. SIGTERM ends it: files in hand are finished within half a minute, or
    given back to the queue. docs/service.md has the API, the queue and how to run it for others.
    """
    running = shared.required("sfumato.app.service.running")
    from sfumato.app.service.settings import ServiceSettings

    settings = ServiceSettings(
        folder,
        database,
        largest * MEGABYTE,
        jobs_a_day,
        requests_a_minute,
        frozenset(host.lower() for host in allow_url),
        retention_days=retention,
    )
    with ExitStack() as stack:
        asked = (workers, trust, allowed_list, repository, model, timeout, memory, audit)
        if no_workers:
            shared.refuse_judging("--no-workers judges nothing")
        judges = None if no_workers else stack.enter_context(shared.judges(*asked))
        service = stack.enter_context(running.Running(settings, judges))
        if (made := service.first_key()) is not None:
            click.echo(f"The first key, an admin's, shown this once: {made.secret}")
        service.serve(host, port, lambda address: click.echo(f"Serving at {address}"))


@click.command("work")
@shared.folder()
@shared.database()
@shared.judging
def work(
    folder: Path, database: str | None, workers: int, trust: tuple[Path, ...], allowed_list: tuple[Path, ...],
    repository: str | None, model: Path | None, timeout: float, memory: int, audit: Path | None,
) -> None:  # fmt: skip
    """Judge what the queue of a service holds, beside it or on another machine.

    It takes the service's database, and its folder of uploads under whatever name that is mounted here.
    """
    running = shared.required("sfumato.app.service.running")
    from sfumato.app.service.settings import ServiceSettings

    asked = (workers, trust, allowed_list, repository, model, timeout, memory, audit)
    with shared.judges(*asked) as judges, running.Running(ServiceSettings(folder, database), judges) as service:
        click.echo("Working.")
        service.work()
