"""`make mutants`: how many small faults in the trusted modules the tests find.

In: modules.toml (modules and the tests that concern them), survivors.toml (mutants that no test can or should find,
each with its reason), named.toml (faults once found by hand, each of which must be killed). Out: killed / all, by
module, and the survivors without a reason. Exit code 1 under the wanted share, for a named fault that survives, or for
one whose text is no longer there; 2 if the tests fail on the unchanged tree.

    python tests/mutation/gate.py [--all] [--only GLOB] [--sample N] [--named]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:] = [str(HERE), *(each for each in sys.path if Path(each).resolve() not in (HERE, ROOT))]

from mutants import Mutant, mutants_of
from trial import Results, Trial, baseline, copy_tree, run_all

KILLED = ("killed", "timeout")


def sampled(mutants: Sequence[Mutant], module: str, count: int) -> list[Mutant]:
    """`count` of them, the same every time for the same module and text; a larger sample holds a smaller one."""
    if count <= 0 or count >= len(mutants):
        return list(mutants)
    order = list(range(len(mutants)))
    random.Random(module).shuffle(order)
    return [mutants[i] for i in sorted(order[:count])]


def files_of(patterns: Sequence[str], root: Path) -> list[str]:
    """Files under `root`, each once, in the order of the patterns. Raises SystemExit if one of them means none."""
    found: dict[str, None] = {}
    for pattern in patterns:
        here = sorted(path.relative_to(root).as_posix() for path in root.glob(pattern) if path.suffix == ".py")
        if not here:
            raise SystemExit(f"tests/mutation: no file is meant by {pattern}; has it moved?")
        found.update(dict.fromkeys(name for name in here if not name.endswith("__init__.py")))
    return list(found)


def reason_of(mutant: Mutant, module: str, known: Sequence[dict[str, str]]) -> str:
    """Why this survivor may live; empty if nobody said."""
    for entry in known:
        if fnmatch(module, entry["module"]) and entry["was"] in mutant.was and entry["becomes"] in mutant.becomes:
            return entry["reason"]
    return ""


def with_fault(fault: dict[str, Any], root: Path) -> tuple[str, str]:
    """The one file with the fault's text, and its content with the fault put in. Raises LookupError otherwise."""
    holding = []
    for name in files_of(fault["files"], root):
        text = (root / name).read_text(encoding="utf-8")
        holding += [(name, text)] * text.count(fault["old"])
    if len(holding) != 1:
        where = "is gone" if not holding else f"stands in {len(holding)} places"
        raise LookupError(f"its text {where}: {fault['old']!r}")
    name, text = holding[0]
    return name, text.replace(fault["old"], fault["new"])


class Gate:
    def __init__(self, folder: Path, workers: int) -> None:
        self.folder = folder
        self.temporary = tempfile.TemporaryDirectory(prefix="sfumato-mutants-")
        self.trees = [copy_tree(ROOT, Path(self.temporary.name) / str(number)) for number in range(workers)]

    def judge(self, name: str, changes: Sequence[tuple[str, str]], tests: Sequence[str]) -> list[Trial]:
        """A trial of each change of a file, as it is known or by running `tests`. Raises SystemExit if those fail."""
        results = Results(self.folder, name, ROOT, tests)
        trials = {number: found for number, (_, text) in enumerate(changes) if (found := results.get(text))}
        missing = [number for number in range(len(changes)) if number not in trials]
        if missing:
            passed, failing, seconds = baseline(self.trees[0], tests)
            if not passed:
                print(f"{name}: the tests fail without a mutant ({failing})", flush=True)
                raise SystemExit(2)

            def done(index: int, trial: Trial) -> None:
                trials[missing[index]] = trial
                results.put(changes[missing[index]][1], trial)

            run_all(self.trees, [changes[number] for number in missing], tests, 15 + 8 * seconds, done)
        return [trials[number] for number in range(len(changes))]


def named(gate: Gate, faults: Sequence[dict[str, Any]]) -> int:
    """Prints each named fault. Returns how many are not killed."""
    alive = 0
    for fault in faults:
        try:
            change = with_fault(fault, ROOT)
        except LookupError as error:
            alive += 1
            print(f"  LOST      {fault['name']}: {error}", flush=True)
            continue
        tests = files_of(fault["tests"], ROOT)
        trial = gate.judge(f"named-{fault['name'].replace(' ', '-')}", [change], tests)[0]
        alive += trial.outcome not in KILLED
        print(f"  {trial.outcome:9} {fault['name']} ({trial.by or 'no test fails'})", flush=True)
    return alive


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutants of the trusted modules against their tests.")
    parser.add_argument("--all", action="store_true", help="every mutant, not a sample")
    parser.add_argument("--only", default="*", metavar="GLOB", help="only modules whose path fits")
    parser.add_argument("--sample", type=int, metavar="N", help="mutants a module")
    parser.add_argument("--named", action="store_true", help="the named faults alone")
    parser.add_argument("--results", type=Path, default=ROOT / ".mutants", help="where results are kept")
    arguments = parser.parse_args()
    table = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    known = tomllib.loads((HERE / "survivors.toml").read_text(encoding="utf-8")).get("survivor", [])
    faults = tomllib.loads((HERE / "named.toml").read_text(encoding="utf-8"))["fault"]
    count = 0 if arguments.all else arguments.sample or table["sample"]
    gate = Gate(arguments.results, table["workers"])
    killed = explained = every = 0
    if not arguments.named:
        print(f"a seeded sample of at most {count} mutants a module" if count else "every mutant", flush=True)
        for module, tests in modules(table, arguments.only):
            mutants = sampled(mutants_of((ROOT / module).read_text(encoding="utf-8")), module, count)
            if not mutants:
                continue
            trials = gate.judge(module, [(module, mutant.text) for mutant in mutants], tests)
            alive = [mutant for mutant, trial in zip(mutants, trials, strict=True) if trial.outcome not in KILLED]
            late = sum(trial.outcome == "timeout" for trial in trials)
            dead = len(mutants) - len(alive)
            killed, every = killed + dead, every + len(mutants)
            print(
                f"{dead:4} / {len(mutants):4}  {dead / len(mutants):4.0%}  {module}" + (f" ({late} late)" * bool(late))
            )
            for mutant in alive:
                if reason_of(mutant, module, known):
                    explained += 1
                else:
                    print(f"      {module}:{mutant.line} {mutant.operator}")
                    print(f"        - {mutant.was}\n        + {mutant.becomes}")
            sys.stdout.flush()
        if every:
            print(f"killed {killed} of {every} ({killed / every:.1%}); wanted {table['wanted']:.0%};", end=" ")
            print(f"survivors with a reason: {explained}, without: {every - killed - explained}")
    print("named faults:")
    alive_faults = named(gate, faults) if arguments.only == "*" else 0
    enough = not every or killed >= table["wanted"] * every
    return 0 if enough and not alive_faults else 1


def modules(table: dict[str, Any], only: str) -> list[tuple[str, list[str]]]:
    """(module, its tests), each module once: the first entry of the table that means it."""
    found: dict[str, list[str]] = {}
    for entry in table["module"]:
        tests = files_of(entry["tests"], ROOT)
        for name in files_of(entry["files"], ROOT):
            if fnmatch(name, only):
                found.setdefault(name, tests)
    return list(found.items())


if __name__ == "__main__":
    sys.exit(main())
