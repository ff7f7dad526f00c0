"""`sfumato service keys`: they parse, add, list or revoke keys of a service, beside it while it runs."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options
from sfumato.app.cli.service import options as shared

ROLES = ("submit", "review", "admin")


@click.command("add")
@click.argument("owner")
@click.argument("name")
@options.choice("--role", ROLES, "submit", "What it may do; each may do what those before it may.")
@click.option("--webhook", metavar="URL", help="Told of its finished jobs, signed.")
@shared.folder()
@shared.database()
def add(owner: str, name: str, role: str, webhook: str | None, folder: Path, database: str | None) -> None:
    """Make a key that sees the jobs of OWNER, and stands for NAME in decisions. It is shown this once."""
    from sfumato.app.service.settings import ServiceSettings

    store = shared.required("sfumato.app.service.store.database")
    access = shared.required("sfumato.app.service.store.access")
    settings = ServiceSettings(folder, database)
    _make_room(settings.folder)
    with store.Database(settings.database_url) as opened:
        made = access.Access(opened).add_key(owner, name, role, webhook)
    click.echo(f"Key {made.key.id}: {made.secret}")
    if made.webhook_secret is not None:
        click.echo(f"Its webhooks are signed with: {made.webhook_secret}")


@click.command("list")
@shared.folder()
@shared.database()
def list_keys(folder: Path, database: str | None) -> None:
    """List all keys, the revoked ones too."""
    from datetime import UTC, datetime

    from sfumato.app.service.settings import ServiceSettings
    from sfumato.text import printable

    store = shared.required("sfumato.app.service.store.database")
    access = shared.required("sfumato.app.service.store.access")
    settings = ServiceSettings(folder, database)
    _make_room(settings.folder)
    with store.Database(settings.database_url) as opened:
        keys = access.Access(opened).all_keys()
        if not keys:
            click.echo("There is no key yet. Make one: sfumato service keys add OWNER NAME.")
        for key in keys:
            made = datetime.fromtimestamp(key.created, UTC).strftime("%Y-%m-%d")
            state = "revoked" if key.revoked is not None else key.role
            click.echo(f"{key.id}  {made}  {state:8}  {printable(key.owner)}  {printable(key.name)}")


@click.command("revoke")
@click.argument("key_id", metavar="KEY")
@shared.folder()
@shared.database()
def revoke(key_id: str, folder: Path, database: str | None) -> None:
    """End KEY, by its id, and its sessions, for good."""
    from sfumato.app.service.settings import ServiceSettings
    from sfumato.errors import UsageError
    from sfumato.text import printable

    store = shared.required("sfumato.app.service.store.database")
    access = shared.required("sfumato.app.service.store.access")
    settings = ServiceSettings(folder, database)
    _make_room(settings.folder)
    with store.Database(settings.database_url) as opened:
        if not access.Access(opened).revoke(key_id):
            raise UsageError(f"There is no such key: {printable(key_id)}", "See: sfumato service keys list.")
    click.echo(f"Revoked {printable(key_id)}.")


def _make_room(folder: Path) -> None:
    from sfumato.atomic import make_folder

    make_folder(folder, "Choose another --folder.")
