"""`sfumato audit`: begin, sign and check an audit log, note a decision in it, take its head to keep elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance.commands.lists import allowed_lists, origin, trust_lists
from sfumato import options
from sfumato.errors import UsageError
from sfumato.exit_codes import ExitCode
from sfumato.text import json_line, printable

if TYPE_CHECKING:
    from provenance.audit.check import AuditReport

SCHEMA_VERSION = 1
EXIT_CODES = {"whole": ExitCode.DONE, "uncovered": ExitCode.NOT_GOOD, "broken": ExitCode.INVALID_CREDENTIAL}
LOG = click.argument("log", type=options.FILE)
MOST_SHOWN = 300  # characters of a foreign text


@click.command()
@click.argument("log", type=options.NEW_FILE)
@click.option("--signer", default="", metavar="SIGNER", help="As in `sfumato sign`; the development key unless given.")
@click.option("--chain", type=options.FILE, metavar="PEM", help="The signer's certificates, up to its root or below.")
@click.option("--algorithm", type=click.Choice(["ps256", "ps384", "ps512"]), help="What an RSA key signs with.")
@options.number("--every-lines", 1000, click.IntRange(1, 100_000), "Sign after so many lines.")
@options.number("--every-minutes", 10.0, click.FloatRange(0, min_open=True), "Sign what is older than that.")
def begin(
    log: Path, signer: str, chain: Path | None, algorithm: str | None, every_lines: int, every_minutes: float
) -> None:
    """Begin an audit log: LOG, and LOG.toml with how it is signed.

    A head is signed after so many lines or minutes, and at the end of every command that writes into LOG.
    """
    from provenance.audit.log import AuditLog
    from provenance.audit.settings import AuditSettings, save_settings, settings_file, signer_of
    from sfumato.config import from_dict

    if log.exists():
        raise UsageError(f"{log} exists already", f"How it is signed stands in {settings_file(log)}.")
    if bool(signer) != (chain is not None):
        raise UsageError("--signer and --chain belong together", "Give both, or neither.")
    if algorithm is not None and not signer:
        raise UsageError("--algorithm belongs to a signer", "Give --signer too.")
    kind, _, key = signer.partition(":")
    named = f"pem:{Path(key).resolve()}" if kind == "pem" else signer  # it is used from other folders too
    values = {
        "signer": named,
        "chain": str(chain.resolve()) if chain else "",
        "algorithm": algorithm or "",
        "every_lines": every_lines,
        "every_minutes": every_minutes,
    }
    settings = from_dict(AuditSettings, values)
    key_to_use = signer_of(settings)
    save_settings(log, settings)
    with AuditLog(log, {"command": "audit begin"}, settings, key_to_use) as begun:
        head = begun.sign()
    click.echo(f"{printable(log)}: begun; head {head.sha256}")


@click.command()
@LOG
def sign(log: Path) -> None:
    """Sign a head of LOG now: what a crash left unsigned, or with a new certificate what an old one had signed."""
    from provenance.audit.log import AuditLog

    with AuditLog(log, {"command": "audit sign"}) as opened:
        head = opened.sign()
    click.echo(f"{printable(log)}: signed, {head.number} lines; head {head.sha256}")


@click.command()
@LOG
@options.output("Where the head goes; standard output unless given.", required=False)
def head(log: Path, out: Path | None) -> None:
    """Show the last signed head of LOG, to be kept where nobody who writes LOG can reach it.

    It is the line itself: who signed, when, how many lines, and the digest of the last of them.
    """
    from provenance.audit.check import last_head
    from sfumato.atomic import write_bytes

    line = last_head(log)
    if out is None:
        click.echo(line.as_bytes().decode("utf-8"), nl=False)
    else:
        write_bytes(out, line.as_bytes())


@click.command()
@LOG
@click.argument("file", metavar="FILE|SHA256")
@click.option("--decision", required=True, help="What was decided, in a word or a sentence.")
@click.option("--who", required=True, help="Who decided.")
@click.option("--why", required=True, help="For what reason.")
def decide(log: Path, file: str, decision: str, who: str, why: str) -> None:
    """Note in LOG what a person decided about FILE, or about the file with that SHA-256."""
    from provenance.audit.decision import decision_body
    from provenance.audit.log import AuditLog

    body = decision_body(file, decision, who, why)
    with AuditLog(log, {"command": "audit decide"}) as opened:
        line = opened.append("decision", body)
    click.echo(f"{printable(log)}: line {line.number}, {printable(decision, MOST_SHOWN)}")


@click.command()
@LOG
@options.trust("Roots that signers may lead to; may be repeated. Without, nobody is trusted.")
@options.files("--trust-list", "A published, dated list of signers: PEM, or JSON (ETSI TS 119 602).", metavar="FILE")
@options.allowed_list()
@click.option("--head", "kept", metavar="SHA256|FILE", help="A head that was kept elsewhere: LOG must hold it.")
@options.as_json("One JSON object.")
@click.pass_context
def verify(
    context: click.Context,
    log: Path,
    trust: tuple[Path, ...],
    trust_list: tuple[Path, ...],
    allowed_list: tuple[Path, ...],
    kept: str | None,
    as_json: bool,
) -> None:
    """Check that the lines of LOG hold together, and who signed for them. Names the first line that does not belong.

    \b
    whole      no line was changed, removed, moved or put in, and a trusted signer vouches for all of them
    uncovered  the lines hold together, but no trusted signer vouches for the last ones, or for any
    broken     a line does not belong where it stands, a signature does not fit, or the kept head is not there

    Lines at the end can be cut off without a trace in LOG itself: keep a head elsewhere and give it with --head.

    \b
    Exit codes: 0 whole, 1 uncovered, 2 wrong usage, 3 unreadable, 5 broken.
    """
    from provenance.audit.check import check_log, read_kept
    from provenance.audit.trust import Trust
    from provenance.pki.certificates import read_anchors

    lists, allowed = trust_lists(trust_list, ()), allowed_lists(allowed_list)
    anchors = [read_anchors(path) for path in trust] + [each.pem for each in lists]
    digests = frozenset[str]().union(*(each.fingerprints for each in allowed))
    believed = Trust(anchors, digests, datetime.now(UTC))
    found = check_log(log, believed, read_kept(kept) if kept is not None else None)
    if as_json:
        click.echo(json_line({**record(log, found), "trust_lists": [origin(each) for each in lists]}))
    else:
        click.echo("\n".join(describe(log, found)))
    context.exit(EXIT_CODES[found.outcome])


def record(log: Path, found: AuditReport) -> dict[str, Any]:
    """A report as plain values."""
    from dataclasses import asdict

    told = asdict(found)
    coverage = found.coverage
    return {
        "schema_version": SCHEMA_VERSION,
        "file": str(log),
        "outcome": found.outcome,
        "covered": found.covered,
        "covered_by": asdict(coverage.signatory) if coverage else None,
        **told,
    }


def describe(log: Path, found: AuditReport) -> list[str]:
    """Lines for a person."""
    counted = ", ".join(f"{count} {kind}" for kind, count in found.kinds.items())
    lines = [
        f"{printable(log)}: {found.outcome}: {found.lines} lines hold together" + (f" ({counted})" if counted else "")
    ]
    if found.broken:
        lines.append(f"    broken at line {found.broken.line}: {printable(found.broken.reason, MOST_SHOWN)}")
    if coverage := found.coverage:
        lines.append(f"    covered: {_from_to(1, coverage.line)}, by {_who(coverage.signatory)}, {coverage.time}")
    if found.covered < found.lines:
        lines.append(f"    not covered by a trusted signature: {_from_to(found.covered + 1, found.lines)}")
    for each in found.signatories:
        if not each.signatory.trusted:
            why = printable(each.signatory.reason, MOST_SHOWN)
            lines.append(f"    not trusted: {_who(each.signatory)}, who signed up to line {each.line}: {why}")
    if found.piece_at:
        lines.append(
            f"    line {found.piece_at} is a piece of one: its writing broke off, and nobody has written since"
        )
    if found.torn:
        lines.append(f"    {found.torn} pieces of lines that crashes left are kept in the log, and spoken of")
    if found.reopened:
        lines.append(f"    {found.reopened} times a program found unsigned lines when it opened the log")
    if found.backwards:
        lines.append(f"    {found.backwards} lines have an earlier time than the line before: a clock was set back")
    if found.kept:
        lines.append(f"    the kept head is line {found.kept}")
    if found.sha256:
        lines.append(f"    last line: sha256 {found.sha256}, {found.last}")
    return lines


def _from_to(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _who(signatory: Any) -> str:
    return f"{printable(signatory.name, 80)}" + (", a development signer" if signatory.development else "")
