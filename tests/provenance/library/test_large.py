"""Large videos, signed in one pass: accepted by two independent verifiers, every changed byte seen, little work and
little memory.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

import provenance.library.native
from provenance.manifests.declaration import Declaration
from provenance.pki.keys import DevelopmentKeys
from provenance.signers import Signer
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
from provenance.verifying.verify import verify

MOST_WORK = 1.5  # times that of sha256sum
MOST_MEMORY = 200_000  # kB
SIZE = int(os.environ.get("SFUMATO_LARGE_MB", "100"))


@pytest.fixture(scope="module")
def signer(keys: DevelopmentKeys) -> Signer:
    return development_signer(keys.folder.parent)


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every video counts as large, and has several pieces."""
    assert provenance.library.native.available(), (
        "this release of c2pa-python was not tried: see provenance/library/native.py"
    )
    monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    monkeypatch.setattr("provenance.library.settings.PIECE_KB", 4)


@pytest.fixture
def grown(unsealed: Path, media_box: Callable[[bytes], tuple[int, int]], tmp_path: Path) -> Callable[[int], Path]:
    """The small video with so many bytes of noise more in its media, where no frame uses them."""

    def grow(more: int) -> Path:
        data = unsealed.read_bytes()
        start, size = media_box(data)
        path = tmp_path / "large.mp4"
        with path.open("wb") as file:
            file.write(data[:start] + (size + more).to_bytes(4, "big") + data[start + 4 : start + size])
            noise = os.urandom(2**20)
            for position in range(0, more, len(noise)):
                file.write(noise[: min(len(noise), more - position)])
            file.write(data[start + size :])
        return path

    return grow


def _frames(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in container.decode(video=0)]


@pytest.mark.usefixtures("in_pieces")
def test_several_media_boxes_are_hashed_as_a_whole_and_always_hold(
    unsealed: Path, signer: Signer, root: bytes, encypher: Callable[[Path], str], tmp_path: Path
) -> None:
    """The library mixes up the pieces of several by chance: one time in two it found such a file changed."""
    source, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(unsealed.read_bytes() + (20_008).to_bytes(4, "big") + b"mdat" + os.urandom(20_000))
    sign_file(source, out, Declaration(), signer)
    assert {verify(out, [root]).outcome for _ in range(12)} == {"trusted"}
    assert encypher(out) == "Trusted"


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v"])
def test_both_verifiers_accept_it_and_it_plays(
    unsealed: Path, signer: Signer, root: bytes, encypher: Callable[[Path], str], tmp_path: Path, suffix: str
) -> None:
    source = tmp_path / f"in{suffix}"
    shutil.copy(unsealed, source)
    out = tmp_path / f"out{suffix}"
    sign_file(source, out, Declaration(), signer)
    assert verify(out, [root]).outcome == "trusted"
    assert encypher(out) == "Trusted"
    assert _frames(out) == _frames(unsealed)


@pytest.mark.usefixtures("in_pieces")
def test_the_library_was_not_left_to_do_it(unsealed: Path, signer: Signer, tmp_path: Path) -> None:
    from c2pa import Reader

    sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    with Reader(str(tmp_path / "out.mp4")) as reader:
        report = json.loads(reader.detailed_json())
    binding = next(
        assertion
        for manifest in report["manifests"].values()
        for name, assertion in manifest["assertion_store"].items()
        if "hash.bmff" in name
    )
    assert [part["fixedBlockSize"] for part in binding["merkle"]] == [4096]
    assert binding["merkle"][0]["count"] == len(binding["merkle"][0]["hashes"]) >= 6


@pytest.mark.usefixtures("in_pieces")
def test_a_change_anywhere_is_seen(unsealed: Path, signer: Signer, root: bytes, tmp_path: Path, media_box: Any) -> None:
    sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    data = (tmp_path / "out.mp4").read_bytes()
    mdat = next(index for index in range(len(data)) if data[index : index + 8] == b"\0\0\0\1mdat")
    end = mdat + int.from_bytes(data[mdat + 8 : mdat + 16], "big")
    places = [mdat + 15, mdat + 16, mdat + 4111, mdat + 4112, (mdat + end) // 2, end - 1, end + 40, len(data) - 20]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1
        (tmp_path / "changed.mp4").write_bytes(changed)
        assert verify(tmp_path / "changed.mp4", [root]).outcome != "trusted", place
    swapped = data[: mdat + 16] + data[mdat + 4112 : mdat + 8208] + data[mdat + 16 : mdat + 4112] + data[mdat + 8208 :]
    (tmp_path / "changed.mp4").write_bytes(swapped)
    assert verify(tmp_path / "changed.mp4", [root]).outcome == "invalid"


@pytest.mark.usefixtures("in_pieces")
def test_a_signed_one_keeps_its_credential(unsealed: Path, signer: Signer, root: bytes, tmp_path: Path) -> None:
    sign_file(unsealed, tmp_path / "first.mp4", Declaration(), signer)
    sign_file(tmp_path / "first.mp4", tmp_path / "second.mp4", Declaration("edited"), signer)
    found = verify(tmp_path / "second.mp4", [root])
    assert found.outcome == "trusted"
    assert [(item.relationship, item.state) for item in found.ingredients] == [("parentOf", "trusted")]
    assert _frames(tmp_path / "second.mp4") == _frames(unsealed)


def test_a_release_that_was_not_tried_goes_the_librarys_way(
    unsealed: Path, signer: Signer, root: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance.library.settings.LARGE", 1000)
    monkeypatch.setattr("provenance.library.large.available", lambda: False)
    sign_file(unsealed, tmp_path / "out.mp4", Declaration(), signer)
    assert verify(tmp_path / "out.mp4", [root]).outcome == "trusted"


PROGRAM = """
import json, resource, sys
from pathlib import Path
from provenance.manifests.declaration import Declaration
from provenance.signing.seal import development_signer
from provenance.signing.sign import sign_file
small, large, out = (Path(name) for name in sys.argv[1:])
signer = development_signer()
sign_file(small, out, Declaration(), signer)  # everything is imported
before = resource.getrusage(resource.RUSAGE_SELF)
sign_file(large, out, Declaration(), signer)
after = resource.getrusage(resource.RUSAGE_SELF)
work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
peak = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))
print(json.dumps([work, int(peak)]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak memory of a process from /proc")
def test_work_and_memory(unsealed: Path, grown: Callable[[int], Path], keys: DevelopmentKeys, tmp_path: Path) -> None:
    """SFUMATO_LARGE_MB says how large; CI takes 100 MB. The best of three, since other programs share the machine."""
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("needs sha256sum to compare with")
    large = grown(SIZE * 2**20)
    ratios, peaks = [], []
    for _ in range(3):
        timed = (
            f"import resource, subprocess, sys; subprocess.run([{tool!r}, sys.argv[1]], check=True, "
            "stdout=subprocess.DEVNULL);"
        )
        timed += "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime)"
        reference = float(
            subprocess.run([sys.executable, "-c", timed, str(large)], check=True, capture_output=True, text=True).stdout
        )
        environment = {**os.environ, "SFUMATO_KEYS": str(keys.folder.parent)}
        arguments = [sys.executable, "-c", PROGRAM, str(unsealed), str(large), str(tmp_path / "out.mp4")]
        done = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
        work, peak = json.loads(done.stdout)
        ratios.append(work / reference)
        peaks.append(peak)
        print(
            f"{SIZE} MB: {work:.2f} s, sha256sum {reference:.2f} s, {work / reference:.2f} x, peak {peak / 1000:.0f} MB"
        )
        if ratios[-1] <= MOST_WORK:
            break
    assert min(ratios) <= MOST_WORK
    assert max(peaks) < MOST_MEMORY
