"""`sfumato study score`: it parses, reads the answers, prints what they say."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options


@click.command("score")
@click.argument("study", type=options.FOLDER)
@click.argument("answers", nargs=-1, required=True, type=options.ANY)
@options.seed("Of the bootstrap.")
@options.as_json("Print one JSON record instead.")
def score(study: Path, answers: tuple[Path, ...], seed: int, as_json: bool) -> None:
    """Say how often participants found the fake of STUDY, by their ANSWERS: files of its page, or folders of them.

    A rate near one in three (of two clips: one in two) means that people see no difference. Whoever answered too
    quickly, or always at the same place, is named and counted all the same.
    """
    from sfumato.app.study.answers import answer_files, read_answers
    from sfumato.app.study.key import read_key
    from sfumato.app.study.score import score as score_answers
    from sfumato.app.study.told import lines_of, record_of
    from sfumato.text import json_line

    key = read_key(study)
    found = score_answers(key, read_answers(answer_files(answers), key), seed)
    for line in [json_line(record_of(found))] if as_json else lines_of(found):
        click.echo(line)
