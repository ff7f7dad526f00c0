"""The commands: prepare, train generator, motion; what they print, what they write, how they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.commands import motion, pack_generator, prepare, train_generator
from generator.motion.track import motion_path, read_motion
from generator.presets import PRESETS
from sfumato.app.cli.main import main
from sfumato.media.images import write_image
from tests.generator.data.test_dataset import prepared as prepared_folder
from tests.generator_fixtures import astronaut, moving, portrait
from tests.media_fixtures import make_video
from tests.sound_fixtures import joined

TINY = [
    "model.size=32", "model.width=8", "model.max_width=16", "model.same_blocks=0", "model.bottleneck=8",
    "model.encoder_attention=0",
    "model.decoder_attention=0", "loss.vgg19=0", "loss.vggface=0", "loss.pixel=8", "steps=2", "batch=2", "frames=2",
    "held_out=0",
    "save_every=1", "log_every=1",
]  # fmt: skip


def settings() -> list[str]:
    return [word for value in TINY for word in ("--set", value)]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("driver") / "driver.mp4"
    return make_video(path, frames=6, width=512, height=512, images=moving(astronaut(), 6, 40))


def test_prepare_says_what_it_made_and_what_it_left_out(tmp_path: Path, driver: Path) -> None:
    footage = tmp_path / "footage"
    footage.mkdir()
    write_image(footage / "mona.png", portrait())
    (footage / "bad\x1b[31m.mp4").write_text("no video")
    arguments = [str(footage), str(driver), "-o", str(tmp_path / "set"), "--frames", "3", "--size", "64"]
    first = CliRunner().invoke(prepare, arguments)
    assert first.exit_code == 0, first.output
    assert "2 made (4 frames), 0 kept, 1 left out" in first.stdout
    assert "Left out" in first.stderr and "\x1b" not in first.output and "\\x1b" in first.stderr
    assert "0 made (0 frames), 2 kept, 1 left out" in CliRunner().invoke(prepare, arguments).stdout


def test_prepare_tells_of_a_clock_that_jumps(tmp_path: Path) -> None:
    part = make_video(tmp_path / "part.ts", frames=4, width=512, height=512, images=moving(astronaut(), 4))
    footage = joined(tmp_path / "all\x1b.ts", part, part)
    result = CliRunner().invoke(prepare, [str(footage), "-o", str(tmp_path / "set"), "--frames", "4", "--size", "64"])
    assert "The clock of all\\x1b.ts jumps once" in result.stderr
    assert "ts jumps once" in (tmp_path / "set" / "report.html").read_text()


def test_prepare_of_a_layout_counts_by_reason_and_writes_the_report(tmp_path: Path) -> None:
    for person, name in (("id10001", "mona-lisa"), ("id10270", "la-velata"), ("id10002", "lady-agnew")):
        folder = tmp_path / "vox" / person / "video"
        folder.mkdir(parents=True)
        write_image(folder / "1.png", portrait(name))
        write_image(folder / "2.png", portrait(name, side=150))
    arguments = [str(tmp_path / "vox"), "-o", str(tmp_path / "set"), "--size", "64", "--set", "smallest_face=100"]
    result = CliRunner().invoke(prepare, arguments)
    assert result.exit_code == 0, result.output
    assert "3 made" in result.stdout and "Left out, frames: face too small 3" in result.stderr
    assert "names 3 people; 1 file(s) are kept for testing" in result.stderr
    assert "set/report.html" in result.stderr and (tmp_path / "set" / "report.html").is_file()
    few = CliRunner().invoke(prepare, [*arguments, "--per-person", "1", "--limit", "2", "--no-report"])
    assert "0 made (0 frames), 2 kept, 0 left out" in few.stdout


def test_prepare_with_an_unknown_limit_ends_with_2(
    tmp_path: Path, driver: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", str(driver), "-o", str(tmp_path / "set"), "--set", "largest_yaw=3"]) == 2
    assert "largest_yaw" in capfd.readouterr().err


def test_prepare_of_metadata_says_what_is_missing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "txt" / "id10001" / "video").mkdir(parents=True)
    (tmp_path / "txt" / "id10001" / "video" / "00001.txt").write_text("FRAME X Y W H")
    assert main(["prepare", str(tmp_path), "-o", str(tmp_path / "set")]) == 2
    assert "metadata" in capfd.readouterr().err


def test_prepare_of_nothing_usable_ends_with_3(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_video(tmp_path / "bars.mp4", frames=2)
    assert main(["prepare", str(tmp_path / "bars.mp4"), "-o", str(tmp_path / "set")]) == 3
    errors = capfd.readouterr().err
    assert "None of 1 file(s)" in errors and "Traceback" not in errors


def test_prepare_with_an_unknown_backend_ends_with_2(
    tmp_path: Path, driver: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", str(driver), "-o", str(tmp_path / "set"), "--landmarks", "dots"]) == 2
    assert "face-alignment, mesh" in capfd.readouterr().err


def test_train_generator_leaves_a_checkpoint_and_resumes(tmp_path: Path) -> None:
    footage = prepared_folder(tmp_path / "set", 3)
    arguments = [str(footage), "-o", str(tmp_path / "run"), "--device", "cpu", "--seed", "3", *settings()]
    first = CliRunner().invoke(train_generator, arguments)
    assert first.exit_code == 0, first.output
    assert "model.safetensors: 2 steps on 3 people" in first.stdout
    assert (tmp_path / "run" / "model.safetensors").is_file()
    again = CliRunner().invoke(train_generator, [*arguments, "--set", "steps=3", "--resume"])
    assert again.exit_code == 0 and "3 steps" in again.stdout


def test_train_generator_does_not_overwrite_a_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    footage = prepared_folder(tmp_path / "set", 3)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "options.json").write_text("{}")
    assert main(["train", "generator", str(footage), "-o", str(tmp_path / "run"), *settings()]) == 2
    assert "--resume" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("setting", "words"),
    [("model.depth=3", "Unknown key model.depth"), ("steps=none", "steps"), ("loss.pixel=-1", "loss.pixel")],
)
def test_wrong_settings_end_with_2(tmp_path: Path, capfd: pytest.CaptureFixture[str], setting: str, words: str) -> None:
    footage = prepared_folder(tmp_path / "set", 1)
    assert main(["train", "generator", str(footage), "-o", str(tmp_path / "run"), "--set", setting]) == 2
    assert words in capfd.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_folder_that_was_not_prepared_ends_with_2(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "generator", str(tmp_path), "-o", str(tmp_path / "run"), *settings()]) == 2
    assert "sfumato prepare" in capfd.readouterr().err


def test_missing_data_are_told_before_missing_weights(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "generator", str(tmp_path), "-o", str(tmp_path / "run"), "--preset", "paper-v2"]) == 2
    errors = capfd.readouterr().err
    assert "sfumato prepare" in errors and "vgg19" not in errors


def test_a_papers_preset_without_vgg_says_what_to_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    footage = prepared_folder(tmp_path / "set", 1)
    preset = ["--preset", "paper-v2", "--set", "landmarks=mesh"]
    assert main(["train", "generator", str(footage), "-o", str(tmp_path / "run"), *preset]) == 2
    errors = capfd.readouterr().err
    assert "--set loss.vgg19_weights=FILE --set loss.vggface_weights=FILE" in errors and "lite0" in errors
    assert len(errors.splitlines()) == 1 and not (tmp_path / "run").exists()


def test_a_preset_trains_with_settings_over_it(tmp_path: Path) -> None:
    footage = prepared_folder(tmp_path / "set", 3)
    settings_over = [word for value in [*TINY[:7], "steps=1", "batch=1", "held_out=0"] for word in ("--set", value)]
    arguments = [str(footage), "-o", str(tmp_path / "run"), "--device", "cpu", "--preset", "cpu-small", *settings_over]
    ended = CliRunner().invoke(train_generator, [*arguments, "--set", "model.stem=1", "--set", "loss.identity=0"])
    assert ended.exit_code == 0, ended.output
    options = json.loads((tmp_path / "run" / "options.json").read_text())["config"]
    assert (options["model"]["family"], options["loss"]["mouth"], options["steps"]) == ("zakharov2019-warp", 5, 1)


def test_the_help_lists_the_presets() -> None:
    shown = CliRunner().invoke(train_generator, ["--help"]).stdout
    assert all(name in shown for name in PRESETS)


def test_motion_writes_a_track_without_a_likeness(tmp_path: Path, driver: Path) -> None:
    result = CliRunner().invoke(motion, [str(driver), "-o", str(tmp_path / "x.motion"), "--seconds", "0.4"])
    assert result.exit_code == 0, result.output
    assert "5 frames, 0.4 s" in result.stdout
    assert len(read_motion(tmp_path / "x.motion")) == 5


def test_motion_refuses_another_suffix_before_the_work(
    tmp_path: Path, driver: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["motion", str(driver), "-o", str(tmp_path / "x.mp4")]) == 2
    errors = capfd.readouterr().err
    assert ".motion" in errors and "Following" not in errors


def test_motion_of_a_video_without_a_face_ends_with_3_and_writes_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make_video(tmp_path / "bars.mp4", frames=3)
    assert main(["motion", str(tmp_path / "bars.mp4"), "-o", str(tmp_path / "x.motion")]) == 3
    assert "No face" in capfd.readouterr().err
    assert not (tmp_path / "x.motion").exists()


def test_act_makes_the_motion_that_ships_and_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, other = tmp_path / "first.motion", tmp_path / "other.motion"
    assert main(["act", "serene", "-o", str(first)]) == 0
    assert main(["act", "serene", "-o", str(other), "--seconds", "4", "--seed", "5"]) == 0
    assert "100 frames, 4.0 s" in capfd.readouterr().out
    assert first.read_bytes() == motion_path("serene").read_bytes()
    assert len(read_motion(other)) == 100


def test_act_refuses_other_suffixes_lengths_and_files_that_are_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.motion").write_bytes(b"mine")
    for arguments, word in (
        (["-o", str(tmp_path / "x.mp4")], ".motion"),
        (["-o", str(tmp_path / "x.motion"), "--seconds", "1"], "3 to 120"),
        (["-o", str(tmp_path / "mine.motion")], "--overwrite"),
    ):
        assert main(["act", "serene", *arguments]) == 2
        assert word in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.motion"]
    assert (tmp_path / "mine.motion").read_bytes() == b"mine"


def test_help_of_the_commands_loads_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from sfumato.app.cli.main import main\n"
        "names = ('prepare', 'motion', 'act', 'bench quality', 'train generator')\n"
        "for name in names: main([*name.split(), '--help'])\n"
        "print(bool({'torch', 'cv2', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout.endswith("False\n")


def test_pack_writes_what_a_training_reads_in_pieces(tmp_path: Path) -> None:
    folder, pack = prepared_folder(tmp_path / "set", 2), tmp_path / "a.pack"
    first = CliRunner().invoke(pack_generator, [str(folder), "-o", str(pack), "--size", "32"])
    assert first.exit_code == 0, first.output
    assert f"{pack}: 6 pictures of 2 clips, 0.0 MB" in first.stdout
    assert main(["pack", "generator", str(folder), "-o", str(pack)]) == 2  # it is there
    assert main(["pack", "generator", str(folder), "-o", str(tmp_path / "a.zip")]) == 2
    arguments = [str(pack), "-o", str(tmp_path / "run"), *settings()]
    piece = CliRunner().invoke(train_generator, [*arguments, "--piece", "1e-9"])
    assert piece.exit_code == 0, piece.output
    assert "1 steps on 2 people" in piece.stdout and "50% of the run is done; --resume goes on" in piece.stderr
    rest = CliRunner().invoke(train_generator, [*arguments, "--resume", "--piece", "5"])
    assert "2 steps on 2 people" in rest.stdout and "goes on" not in rest.stderr
