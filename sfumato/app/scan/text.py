"""A scan record as a block for people. In: a `ScanRecord`. Out: lines. Foreign text is escaped here."""

from __future__ import annotations

from detector.inference.explain import where_in_words
from sfumato.app.scan.mark import MarkFacts
from sfumato.app.scan.record import ExplanationRecord, ScanRecord
from sfumato.text import printable


def as_text(record: ScanRecord) -> str:
    """The block of one file: its name, the verdict, the score, why, the reasons, the credential, the watermark."""
    verdict, credentials = record.verdict, record.credentials
    lines = [printable(record.file.path), f"  {verdict.name}: {verdict.meaning}"]
    if record.score is not None:
        lines.append(f"  score {record.score:.3f}{_against(record)}")
    lines += _explanation_lines(record.explanation) if record.explanation else []
    lines += [f"  {reason.code}: {printable(reason.detail, 600)}" for reason in verdict.reasons]
    lines += [f"  note: {printable(note, 600)}" for note in verdict.notes]
    signed = f", signed by {printable(credentials.signer, 100)}" if credentials.signer else ""
    marks = " (development key)" if credentials.development else ""
    marks += " (on the allowed list)" if credentials.allowed_list else ""
    lines.append(f"  credential: {credentials.outcome}{signed}{marks}")
    return "\n".join([*lines, *(_mark_lines(record.mark) if record.mark else [])])


def _mark_lines(mark: MarkFacts) -> list[str]:
    if mark.value is None:
        return ["  watermark: none was read"]
    lines = [f"  watermark: {mark.value}{', mirrored' if mark.mirrored else ''}"]
    if (found := mark.manifest) is None:
        return lines
    by = f", signed by {printable(found.signer, 100)}" if found.signer else ""
    development = " (development key)" if found.development else ""
    return [*lines, f"  leads to manifest: {printable(found.id, 200)} ({found.signature}{by}{development})"]


def _against(record: ScanRecord) -> str:
    score = record.flagging_score
    if score is None:
        return ""
    kind = "clips" if record.media is None else "pictures" if record.media.kind == "picture" else "videos"
    reals = f"{record.threshold.n_real} real {kind}"
    return f", flagged above {score:.3f} (false-positive rate {record.fpr:g}, {reals})"


def _explanation_lines(told: ExplanationRecord) -> list[str]:
    lines = [f"  {printable(told.words)}"]
    evidence = any(head.level in ("strong", "raised") for head in told.heads.values())  # else nothing to place
    if told.place is not None and evidence:
        lines.append(f"  {where_in_words(told.place.regions, told.place.areas)}")
    return lines + ([f"  heat map: {printable(told.sheet)}"] if told.sheet is not None else [])
