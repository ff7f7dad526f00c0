"""`sfumato study make`: it parses, writes the page and its key, prints the page."""

from __future__ import annotations

from pathlib import Path

import click

from sfumato import options
from sfumato.errors import UsageError


@click.command("make")
@click.argument("source", metavar="SET", type=options.ANY)
@options.output(
    "A new folder: page/ to hand out, key.json to keep.", folder=options.NewFolder("key.json"), required=True
)
@options.number("--questions", 30, click.IntRange(1, 1000), "At most so many; no clip is shown twice.")
@options.choice("--choices", ("2", "3"), "3", "Clips a question, one of them a fake. The paper has three.")
@options.seed("Draws the people, their fakes and the order.")
@click.option(
    "--footage", type=options.ANY, metavar="LIST", help="Recordings of the same people, to cut further reals from."
)
@options.number("--stride", 1, click.IntRange(1, 100), "Of further reals: as of the fakes, `fakes --set stride`.")
@click.option(
    "--note", default="", metavar="TEXT", help="What participants read first: who asks, and whom to write to."
)
def make(
    source: Path, out: Path, questions: float, choices: str, seed: int, footage: Path | None, stride: float, note: str
) -> None:  # fmt: skip
    """Write a page on which people look for the fake among clips of one person, as in section 4 of the paper.

    SET is a folder with clips.jsonl, or such a list, with fakes and reals of the same people. The page works from the
    disk, on a desk and on a phone, and sends nothing. Hand out page/ as a whole, and never key.json.
    """
    from sfumato.app.study.make import StudyConfig, make_study
    from sfumato.progress import progress
    from sfumato.text import left_out, printable

    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} holds a study already", "Choose a new folder: its answers are of that page alone.")
    config = StudyConfig(int(questions), int(choices), seed, int(stride), footage, note)
    with progress("Questions", config.questions) as advance:
        made = make_study(source, out, config, advance)
    for line in left_out(made.drawn.left_out, 20):
        click.echo(line, err=True)
    count = len(made.drawn.questions)
    same = sum(question.same_moments for question in made.drawn.questions)
    asked = len({question.fake.row.identity for question in made.drawn.questions})
    said = [f"{count} questions of {choices} clips, of {asked} of the {made.drawn.people} people with a fake"]
    if count < config.questions:
        said.append(f"{config.questions} were asked for; the list gives no more without showing a clip twice")
    if made.cuts:
        said.append(f"{made.cuts} reals were cut from recordings, as the list has too few")
    if same:
        said.append(f"in {same} a real shows the moments of the fake, and who notices has one chance in two")
    if made.refused:
        said.append(f"{len(made.refused)} clips cannot be shown, such as this: {next(iter(made.refused.values()))}")
    for line in said:
        click.echo(printable(line, 400), err=True)
    click.echo(printable(made.page))
