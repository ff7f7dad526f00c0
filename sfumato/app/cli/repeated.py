"""Options given twice: click keeps the last and says nothing, so that half of a request is lost.

In: a command and its words. Out: nothing, or click's UsageError with the option's name. Options that may be repeated,
and flags that say the same each time, pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click


def refuse_repeated(command: click.Command, words: Sequence[str], parent: click.Context) -> None:
    """Raises UsageError for an option of `command` that is taken once and was given more often."""
    context = click.Context(command, info_name=command.name, parent=parent, resilient_parsing=True)
    try:
        _, _, order = command.make_parser(context).parse_args(list(words))
    except click.UsageError:  # whoever runs the command says what is wrong
        return
    for option, count in Counter(order).items():
        if isinstance(option, click.Option) and count > 1 and not _may_be_repeated(option):
            raise click.UsageError(f"Option '{option.opts[-1]}' was given {count} times, and is taken once", context)


def _may_be_repeated(option: click.Option) -> bool:
    return option.multiple or option.count or (option.is_flag and not option.secondary_opts)
