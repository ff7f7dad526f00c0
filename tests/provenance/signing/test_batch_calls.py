"""Many files as a library: where outputs go, what is waiting at a time, whose manifest counts, which leftovers go."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import pytest

from provenance.manifests.declaration import Declaration
from provenance.pki.cose import EmbeddedSignature
from provenance.pki.keys import DevelopmentKeys
from provenance.signers import Signer
from provenance.signing.batch import SigningTask, find_tasks, manifest_by, sign_all
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from sfumato.errors import OutputError, UsageError
from sfumato.execution.find_files import Finder

NOW = 2e9  # seconds


@pytest.fixture
def signer(keys: DevelopmentKeys) -> Signer:
    return development_signer(keys.folder.parent)


@pytest.fixture
def films(unsealed: Path, tmp_path: Path) -> list[SigningTask]:
    """Six films to be signed."""
    (tmp_path / "films").mkdir()
    sources = [Path(shutil.copy(unsealed, tmp_path / "films" / f"{number}.mp4")) for number in range(6)]
    return [SigningTask(source, tmp_path / "signed" / source.name) for source in sources]


def _outputs(named: Sequence[Path], output: Path, **more: Any) -> list[Path]:
    return [task.output for task in find_tasks([str(name) for name in named], output, **more)]


def test_one_file_becomes_the_named_one(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.mp4"
    assert _outputs([tree / "a.mp4"], out) == [out]
    assert _outputs([tree / "deep" / "*.mov"], tmp_path / "new.mov") == [tmp_path / "new.mov"]


def test_one_file_goes_into_a_folder_that_is_there_or_that_has_no_suffix(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for folder in (tmp_path / "folder.mp4", tmp_path / "folder"):
        assert _outputs([tree / "a.mp4"], folder) == [folder / "a.mp4"]


def test_several_files_and_folders_of_one_file_go_into_a_folder_whatever_its_name(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert _outputs([tree / "a.mp4", tree / "deep" / "b.mov"], out) == [out / "a.mp4", out / "b.mov"]
    (tree / "deep" / "c.jpg").unlink()
    assert _outputs([tree / "deep"], out) == [out / "b.mov"]
    assert _outputs([tree / "a.mp4", tree / "a.mp4"], out) == [out / "a.mp4"]
    assert _outputs([tree / "**" / "*.m*"], out) == [out / "a.mp4", out / "b.mov"]


def test_an_output_and_in_place_exclude_each_other_and_one_is_needed(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Say where"):
        find_tasks([str(tree)], None)
    with pytest.raises(UsageError, match="each otherwise"):
        find_tasks([str(tree)], tmp_path / "out", in_place=True)
    assert all(task.source == task.output for task in find_tasks([str(tree)], None, in_place=True))


def test_another_finder_may_choose(tree: Path, tmp_path: Path) -> None:
    assert _outputs([tree], tmp_path / "out", finder=Finder((".jpg",))) == [tmp_path / "out" / "deep" / "c.jpg"]


def test_an_output_in_the_place_of_another_source_is_refused(tree: Path) -> None:
    (tree / "x").mkdir()
    shutil.copy(tree / "a.mp4", tree / "x" / "a.mp4")
    with pytest.raises(UsageError, match="both an output and a file to be signed"):
        find_tasks([str(tree / "x" / "a.mp4"), str(tree / "a.mp4")], tree)


def test_left_to_itself_it_overwrites_nothing_and_signs_one_file_at_a_time(
    films: list[SigningTask], signer: Signer
) -> None:
    films[0].output.parent.mkdir()
    films[0].output.write_bytes(b"somebody's only copy")
    active, most = [], []

    class Counting:
        alg, chain_pem = signer.alg, signer.chain_pem

        def sign(self, data: bytes) -> bytes:
            active.append(data)
            most.append(len(active))
            time.sleep(0.02)
            active.remove(data)
            return signer.sign(data)

    results = list(sign_all(films, Declaration(), Counting()))
    assert [result.outcome for result in results] == ["failed"] + ["signed"] * 5
    assert isinstance(results[0].error, OutputError)
    assert films[0].output.read_bytes() == b"somebody's only copy"
    assert max(most) == 1


def test_a_source_is_not_replaced_by_default(films: list[SigningTask], signer: Signer) -> None:
    task = SigningTask(films[0].source, films[0].source)
    before = task.source.read_bytes()
    (result,) = sign_all([task], Declaration(), signer)
    assert result.outcome == "failed"
    assert task.source.read_bytes() == before
    assert [each.outcome for each in sign_all([task], Declaration(), signer, in_place=True)] == ["signed"]


def test_each_result_says_how_long_it_took(films: list[SigningTask], signer: Signer) -> None:
    tasks = [films[0], SigningTask(films[1].source, films[0].source / "x.mp4")]
    begun = time.monotonic()
    results = [*sign_all(tasks, Declaration(), signer), *sign_all(films[:1], Declaration(), signer)]
    assert {result.outcome for result in results} == {"signed", "failed", "skipped"}
    assert all(0 <= result.seconds <= time.monotonic() - begun for result in results)


def test_an_output_under_a_file_fails_alone(films: list[SigningTask], signer: Signer) -> None:
    impossible = SigningTask(films[0].source, films[1].source / "below" / "x.mp4")
    results = {result.task: result for result in sign_all([impossible, films[2]], Declaration(), signer)}
    assert isinstance(results[impossible].error, OSError)
    assert (results[impossible].outcome, results[films[2]].outcome) == ("failed", "signed")


def test_folders_of_an_output_are_made_as_deep_as_they_are(films: list[SigningTask], signer: Signer) -> None:
    deep = SigningTask(films[0].source, films[0].output.parent / "one" / "two" / "x.mp4")
    assert [result.outcome for result in sign_all([deep, films[1]], Declaration(), signer)] == ["signed"] * 2
    assert deep.output.exists()


class Drawn(Sequence[SigningTask]):
    """Tasks that count how many of them were taken."""

    def __init__(self, tasks: Sequence[SigningTask]) -> None:
        self.tasks, self.count = tasks, 0

    def __len__(self) -> int:
        return len(self.tasks)

    @overload
    def __getitem__(self, index: int) -> SigningTask: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SigningTask]: ...
    def __getitem__(self, index: int | slice) -> SigningTask | Sequence[SigningTask]:
        return self.tasks[index]

    def __iter__(self) -> Iterator[SigningTask]:
        for task in self.tasks:
            self.count += 1
            yield task


@pytest.mark.parametrize(("workers", "waiting"), [(1, 2), (2, 4)])
def test_no_more_files_wait_than_two_a_worker(
    films: list[SigningTask], signer: Signer, workers: int, waiting: int
) -> None:
    drawn = Drawn(films)
    results = sign_all(drawn, Declaration(), signer, workers=workers)
    next(results)
    assert drawn.count == waiting
    assert 1 + len(list(results)) == drawn.count == len(films)


def test_an_interruption_stops_what_has_not_begun(films: list[SigningTask], signer: Signer) -> None:
    go_on = threading.Event()

    class Slow:
        alg, chain_pem = signer.alg, signer.chain_pem
        order = itertools.count()

        def sign(self, data: bytes) -> bytes:
            if next(self.order):  # all but the first
                go_on.wait(30)
            return signer.sign(data)

    results = sign_all(films, Declaration(), Slow(), workers=2)
    next(results)
    threading.Timer(1, go_on.set).start()
    results.close()  # type: ignore[attr-defined]
    assert len(list(films[0].output.parent.glob("*.mp4"))) <= 3  # one done and two under way; the fourth waited


def test_only_a_valid_file_by_the_same_key_has_a_manifest_by_the_signer(
    films: list[SigningTask], signer: Signer, tmp_path: Path, flip_media_byte: Any
) -> None:
    signed = sign_file(films[0].source, tmp_path / "signed.mp4", Declaration(title="mine"), signer).path
    found = manifest_by(signed, signer)
    assert found is not None
    assert found["title"] == "mine"
    (tmp_path / "text.mp4").write_bytes(b"no media at all")
    others = (films[0].source, flip_media_byte(signed, tmp_path / "changed.mp4"), tmp_path / "text.mp4")
    for path in (*others, tmp_path / "gone.mp4"):
        assert manifest_by(path, signer) is None
    assert manifest_by(signed, development_signer(tmp_path / "other keys")) is None


@pytest.mark.parametrize("error", [ValueError, KeyError])
def test_a_manifest_that_cannot_be_read_is_nobody_s(
    sealed: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*arguments: Any) -> bytes:
        raise error("shape")

    assert manifest_by(sealed, signer) is not None
    monkeypatch.setattr("provenance.signing.batch.manifest_store", fail)
    assert manifest_by(sealed, signer) is None


def test_a_manifest_without_certificates_is_nobody_s(
    sealed: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance.signing.batch.read_signature", lambda *given: EmbeddedSignature())
    assert manifest_by(sealed, signer) is None


def test_a_young_link_to_something_old_is_no_old_leftover(films: list[SigningTask], signer: Signer) -> None:
    task = SigningTask(films[0].source, films[0].source.with_name("out.mp4"))
    old = films[1].source
    os.utime(old, (1, 1))
    link = task.output.with_name(".out-0123456789ab.mp4")
    link.symlink_to(old)
    assert [result.outcome for result in sign_all([task], Declaration(), signer)] == ["signed"]
    assert link.is_symlink()
