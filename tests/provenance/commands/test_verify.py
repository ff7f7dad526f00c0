"""`sfumato verify`: one record a file, an exit code that says the worst, nothing foreign reaches the terminal raw, and
it is quick.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provenance.commands.verify import EXIT_CODES, verify
from provenance.pki.keys import DevelopmentKeys
from provenance.verifying.verification import OUTCOMES
from sfumato.errors import MissingFileError, UsageError


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(verify, [str(argument) for argument in arguments])


@pytest.fixture
def one_of_each(
    sealed: Path, unsealed: Path, tmp_path: Path, flip_media_byte: Callable[[Path, Path], Path]
) -> dict[str, Path]:
    (tmp_path / "text.mp4").write_text("not a video")
    return {
        "untrusted": sealed,
        "none": unsealed,
        "invalid": flip_media_byte(sealed, tmp_path / "flipped.mp4"),
        "unreadable": tmp_path / "text.mp4",
    }


def test_each_outcome_has_its_exit_code(one_of_each: dict[str, Path], keys: DevelopmentKeys) -> None:
    assert set(OUTCOMES) == set(EXIT_CODES)
    for outcome, path in one_of_each.items():
        result = _run(path)
        assert (result.exit_code, f": {outcome}: " in result.output) == (EXIT_CODES[outcome], True)
    assert _run(one_of_each["untrusted"], "--trust", keys.root_certificate).exit_code == 0


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (("untrusted", "none"), 4),
        (("none", "invalid"), 5),
        (("invalid", "unreadable"), 3),
        (("unreadable", "untrusted", "none"), 3),
    ],
)
def test_with_several_files_the_worst_counts(
    one_of_each: dict[str, Path], outcomes: tuple[str, ...], code: int
) -> None:
    assert _run(*(one_of_each[outcome] for outcome in outcomes)).exit_code == code


def test_json_is_one_record_a_line(one_of_each: dict[str, Path]) -> None:
    result = _run("--json", *one_of_each.values())
    records = [json.loads(line) for line in result.output.splitlines()]
    assert [record["outcome"] for record in records] == list(one_of_each)
    assert [record["file"] for record in records] == [str(path) for path in one_of_each.values()]
    assert len({frozenset(record) for record in records}) == 1
    untrusted, _, invalid, _ = records
    assert untrusted["schema_version"] == 1
    assert untrusted["codes"] == ["signingCredential.untrusted"]
    assert untrusted["signer"]["development"] is True
    assert untrusted["declares"] == ["trainedAlgorithmicMedia"]
    assert untrusted["facts"]["model_digest"] == "a" * 64
    assert untrusted["ingredients"][0]["relationship"] == "inputTo"
    assert "assertion.bmffHash.mismatch" in invalid["codes"]


def test_people_read_what_it_rests_on(sealed: Path) -> None:
    first, *rest = _run(sealed).output.splitlines()
    assert "untrusted: valid, but the signer is not on a trust list; signer 'sfumato development signer'" in first
    assert "a development signer" in first
    assert "says: made by a trained algorithm" in first
    assert any("portrait [inputTo]: no credential" in line for line in rest)
    assert any("the signer says so" in line for line in rest)


HOSTILE = "\x1b[2J\x1b[31mtrusted\r\n\u202eevil\u2066\u200b\x07<b>\x9b31m"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_foreign_strings_are_escaped(sign_anything: Callable[..., Path], tmp_path: Path, form: list[str]) -> None:
    action = {"action": "c2pa.created", "digitalSourceType": f"http://example.com/{HOSTILE}"}
    manifest = {
        "title": HOSTILE,
        "claim_generator_info": [{"name": HOSTILE}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action | {"when": HOSTILE}], "allActionsIncluded": True}},
            {"label": "org.sfumato.generation", "data": {"model_name": HOSTILE, "seed": HOSTILE, HOSTILE: HOSTILE}},
        ],
        "ingredients": [{"title": HOSTILE, "format": HOSTILE, "relationship": "componentOf"}],
    }
    result = _run(sign_anything(tmp_path / f"{'a' * 5}\x1b[31m.mp4", manifest), *form)
    assert "evil" in result.output
    assert not [character for character in result.output if not character.isprintable() and character != "\n"]
    assert all(line.startswith(("    ", str(tmp_path), "{")) for line in result.output.splitlines())


def test_several_trust_lists_may_be_given(sealed: Path, keys: DevelopmentKeys, tmp_path: Path) -> None:
    from provenance.pki.keys import development_keys

    other = development_keys(tmp_path).root_certificate
    assert _run(sealed, "--trust", other).exit_code == 1
    assert _run(sealed, "--trust", other, "--trust", keys.root_certificate).exit_code == 0


def test_a_trust_list_without_certificates_is_wrong_usage(sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("# nobody\n")
    result = _run(sealed, "--trust", tmp_path / "empty.pem")
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    assert "empty.pem" in str(result.exception)
    assert isinstance(_run(sealed, "--trust", tmp_path / "gone.pem").exception, MissingFileError)
    assert _run().exit_code == 2


def test_the_help_documents_the_exit_codes() -> None:
    text = _run("--help").output
    for outcome, code in EXIT_CODES.items():
        assert f"{code} {outcome}" in text


def test_it_is_quick_and_loads_nothing_heavy(sealed: Path) -> None:
    program = (
        "import sys; from sfumato.app.cli.main import main; code = main(['verify', sys.argv[1]]);"
        "heavy = {'torch', 'cv2', 'av', 'numpy', 'timm', 'scipy', 'rich'} & set(sys.modules);"
        "print(sorted(heavy)); sys.exit(code)"
    )
    costs = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", program, str(sealed)], capture_output=True, text=True, timeout=60, check=False
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 1, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"
    assert min(costs) < 0.7, costs


# Where our outcome is not simply the recorded state's name, and why.
DIFFERENT = {
    "other/c2pa-rs__cloud.jpg": "none",  # only an address: nothing is fetched, and the file itself holds no credential
    "other/c2pa-rs__cloudx.jpg": "none",
    "other/c2pa-rs__no_alg.jpg": "invalid",  # the picture can be read, its manifest names no known algorithm
    # the picture can be read, its manifest is of a form from before the standard
    "other/c2pa-rs__prerelease.jpg": "invalid",
}


def _expected(row: dict[str, str], state: str) -> str:
    if row["file"] in DIFFERENT:
        return DIFFERENT[row["file"]]
    if "ManifestNotFound" in state or "ManifestNotFound" in row["active_failures"]:
        return "none"
    return {"Valid": "untrusted", "Trusted": "trusted", "Invalid": "invalid"}.get(state, "unreadable")


def _samples(footage: Path) -> Path:
    folder = next(
        (place for place in (footage / "c2pa", footage.parent / "c2pa", footage) if (place / "certs").is_dir()), None
    )
    if folder is None:
        pytest.skip("the footage comes without a folder c2pa")
    return folder


@pytest.mark.footage
@pytest.mark.parametrize("column", ["state_no_anchors", "state_test_anchors"])
def test_files_of_other_makers_read_as_recorded(footage: Path, column: str) -> None:
    from provenance.verifying.verify import verify as verify_file

    folder = _samples(footage)
    trust = (
        [(folder / "certs" / "c2pa-rs__test_cert_root_bundle.pem").read_bytes()]
        if column == "state_test_anchors"
        else []
    )
    with (folder / "manifest.csv").open(newline="") as file:
        rows: list[dict[str, Any]] = [row for row in csv.DictReader(file) if row["state_no_anchors"]]
    assert len(rows) > 30
    found = {row["file"]: verify_file(folder / row["file"], trust).outcome for row in rows}
    assert found == {row["file"]: _expected(row, row[column]) for row in rows}


@pytest.mark.footage
def test_the_page_names_every_file_that_reads_otherwise(footage: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "credentials.md").read_text(encoding="utf-8")
    assert [name for name in DIFFERENT if name.rpartition("__")[2] not in page] == []
    assert all((_samples(footage) / name).is_file() for name in DIFFERENT)


@pytest.mark.footage
def test_bad_ingredients_of_a_trusted_file_are_shown(footage: Path, tmp_path: Path) -> None:
    """The outer manifest of this file is Trusted; what it was made from is not what was signed, and that is said."""
    folder = _samples(footage)
    path = folder / "tampered" / "c2pa-rs__CACAE-uri-CA.jpg"
    trust = folder / "certs" / "c2pa-rs__test_cert_root_bundle.pem"
    result = _run(path, "--trust", trust)
    assert result.exit_code == 0
    assert "E-uri-CA.jpg [componentOf]: invalid (assertion.hashedURI.mismatch)" in result.output
    (tmp_path / "policy.toml").write_text('ingredients = "not-invalid"\n')
    assert _run(path, "--trust", trust, "--policy", tmp_path / "policy.toml").exit_code == 1


def test_a_bad_ingredient_of_a_trusted_file_is_shown(
    sealed: Path,
    sign_anything: Callable[..., Path],
    created: dict[str, Any],
    keys: DevelopmentKeys,
    tmp_path: Path,
    flip_media_byte: Callable[[Path, Path], Path],
) -> None:
    bad = flip_media_byte(sealed, tmp_path / "bad.mp4")
    film = sign_anything(tmp_path / "film.mp4", {"assertions": [created]}, ingredient=bad)
    result = _run(film, "--trust", keys.root_certificate)
    assert result.exit_code == 0
    assert "bad.mp4 [componentOf]: invalid (" in result.output
    assert "assertion.bmffHash.mismatch" in result.output


def test_a_policy_decides_and_says_why(sealed: Path, keys: DevelopmentKeys, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('any = [{ signer = "Somebody" }, { not-revoked = true }]\ndeclares = "trainedAlgorithmicMedia"\n')
    result = _run(sealed, "--trust", keys.root_certificate, "--policy", policy)
    assert result.exit_code == 1
    assert "codes: policy.failed" in result.output
    assert "signer: FAILED: wanted Somebody, found sfumato development signer" in result.output
    assert "declares: held" in result.output
    record = json.loads(_run(sealed, "--trust", keys.root_certificate, "--policy", policy, "--json").output)
    assert [part["clause"] for part in record["policy"]["parts"]] == ["any", "declares"]
    policy.write_text("")
    refused = _run(sealed, "--policy", policy)
    assert isinstance(refused.exception, UsageError)
    assert refused.exception.exit_code == 2


def test_a_trust_list_shows_its_date(sealed: Path, keys: DevelopmentKeys, tmp_path: Path) -> None:
    old = tmp_path / "list-2020-01-31.pem"
    old.write_bytes(keys.root_pem())
    result = CliRunner().invoke(verify, [str(sealed), "--trust-list", str(old)])
    assert result.exit_code == 0
    assert "issued 2020-01-31" in result.stderr
    assert "WARNING" in result.stderr
    record = json.loads(CliRunner().invoke(verify, [str(sealed), "--trust-list", str(old), "--json"]).stdout)
    assert (record["trust_lists"][0]["issued"][:10], record["trust_lists"][0]["certificates"]) == ("2020-01-31", 1)
    undated = tmp_path / "list.pem"
    undated.write_bytes(keys.root_pem())
    assert isinstance(_run(sealed, "--trust-list", undated).exception, UsageError)
    assert _run(sealed, "--tsa-trust-list", old).exit_code == 1


def test_the_chain_is_shown_with_fingerprints_and_dates(sealed: Path, keys: DevelopmentKeys) -> None:
    from cryptography.hazmat.primitives import hashes

    from provenance.pki.certificates import load_anchors

    anchor = load_anchors([keys.root_pem()])[0]
    result = _run(sealed, "--trust", keys.root_certificate)
    assert f"sha256 {anchor.fingerprint(hashes.SHA256()).hex()}, given here" in result.output
    assert f"to {anchor.not_valid_after_utc.date()}" in result.output
    record = json.loads(_run(sealed, "--trust", keys.root_certificate, "--json").output)
    assert [certificate["anchor"] for certificate in record["chain"]] == [False, False, True]


def test_what_is_not_covered_is_listed(sealed: Path) -> None:
    assert "not covered: /ftyp (" in _run(sealed).output
    assert {part["place"] for part in json.loads(_run(sealed, "--json").output)["not_covered"]} <= {"/ftyp", "/free"}


def test_a_folder_means_every_file_in_it(one_of_each: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    for outcome in ("untrusted", "none"):
        (folder / "deep" / f"{outcome}.mp4").write_bytes(one_of_each[outcome].read_bytes())
    records = [json.loads(line) for line in _run(folder, "--json").output.splitlines()]
    assert [(Path(record["file"]).stem, record["outcome"]) for record in records] == [
        ("none", "none"),
        ("untrusted", "untrusted"),
    ]
    assert _run(folder).exit_code == 4
    (tmp_path / "empty").mkdir()
    assert isinstance(_run(tmp_path / "empty").exception, UsageError)


def test_a_host_must_be_a_host(sealed: Path) -> None:
    assert isinstance(_run(sealed, "--allow-remote", "no host").exception, UsageError)
    assert _run(sealed, "--allow-remote", "example.com").exit_code == 1
