"""What is taken out of reports: only known source types, bounded strings and lists, ingredient states, no endless
circles.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from provenance.formats.untrusted import LONGEST, MOST, cut
from provenance.manifests.claims import Ingredient, ManifestView, read_views


class _Reader:
    """Stands for the library's reader with a report of our making."""

    def __init__(self, report: Any, names: Any = None) -> None:
        self._report, self._names = report, names or {}

    def json(self) -> str:
        return json.dumps(self._report)

    def crjson(self) -> str:
        return json.dumps(self._names)


def _views(manifest: dict[str, Any], **more: Any) -> tuple[ManifestView, tuple[Ingredient, ...]]:
    manifests = {"urn:1": manifest, **more.pop("manifests", {})}
    return read_views(_Reader({"active_manifest": "urn:1", "manifests": manifests, **more}))


@pytest.mark.parametrize("part", [None, 1, "text", [], {}, [None], [[1]], {"a": {"b": None}}])
@pytest.mark.parametrize("key", ["assertions", "ingredients", "signature_info", "claim_generator_info", "title"])
def test_parts_of_any_shape_are_survived(key: str, part: Any) -> None:
    view, ingredients = _views({key: part}, validation_results=part)
    assert view.label == "urn:1"
    assert view.facts == {}
    assert all(ingredient.state in ("none", "untrusted", "invalid", "trusted") for ingredient in ingredients)


def test_long_strings_and_lists_are_cut() -> None:
    assertion = {
        "label": "org.sfumato.generation",
        "data": {"model_name": "x" * 1_000_000, "portrait_digests": ["a"] * 100_000},
    }
    ingredients = [{"title": "y" * 2000}] * 1000
    view, found = _views({"title": "t" * 100_000, "assertions": [assertion], "ingredients": ingredients})
    assert len(view.title or "") < LONGEST + 50
    assert len(view.facts["model_name"]) < LONGEST + 50
    assert len(view.facts["portrait_digests"]) == MOST
    assert len(found) == MOST
    assert cut("abc") == "abc"


def test_deep_facts_end_somewhere() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = {"in": deep}
    view, _ = _views({"assertions": [{"label": "org.sfumato.generation", "data": deep}]})
    assert len(json.dumps(view.facts)) < 200


def test_ingredients_that_name_each_other_end() -> None:
    loop = {"ingredients": [{"title": "b", "active_manifest": "urn:2"}]}
    back = {"ingredients": [{"title": "a", "active_manifest": "urn:1"}, {"title": "b", "active_manifest": "urn:2"}]}
    _, found = _views(loop, manifests={"urn:2": back})
    assert [(ingredient.title, ingredient.depth) for ingredient in found] == [("b", 0), ("a", 1), ("b", 1)]


def test_children_follow_their_ingredient() -> None:
    top = {"ingredients": [{"title": "first", "active_manifest": "urn:2"}, {"title": "second"}]}
    _, found = _views(top, manifests={"urn:2": {"ingredients": [{"title": "child"}]}})
    assert [ingredient.title for ingredient in found] == ["first", "child", "second"]


def _delta(*, failure: tuple[str, ...] = (), success: tuple[str, ...] = ()) -> dict[str, Any]:
    deltas = {"failure": [{"code": code} for code in failure], "success": [{"code": code} for code in success]}
    return {
        "ingredientDeltas": [
            {
                "ingredientAssertionURI": "self#jumbf=/c2pa/urn:1/c2pa.assertions/c2pa.ingredient.v3",
                "validationDeltas": deltas,
            }
        ]
    }


@pytest.mark.parametrize(
    ("recorded", "delta", "state"),
    [
        ((), {}, "untrusted"),
        (("signingCredential.untrusted",), {}, "untrusted"),
        (("signingCredential.untrusted",), _delta(success=("signingCredential.trusted",)), "trusted"),
        (("assertion.dataHash.mismatch",), {}, "invalid"),
        ((), _delta(failure=("assertion.hashedURI.mismatch",)), "invalid"),
        ((), _delta(failure=("signingCredential.untrusted",)), "untrusted"),
    ],
)
def test_the_state_of_an_ingredient(recorded: tuple[str, ...], delta: dict[str, Any], state: str) -> None:
    results = {"activeManifest": {"failure": [{"code": code} for code in recorded]}}
    entry = {"label": "c2pa.ingredient.v3", "active_manifest": "urn:2", "validation_results": results}
    _, found = _views({"ingredients": [entry]}, manifests={"urn:2": {}}, validation_results=delta)
    assert [ingredient.state for ingredient in found] == [state]


def test_a_manifest_that_is_its_own_ingredient_is_invalid() -> None:
    loop = {"ingredients": [{"title": "b", "active_manifest": "urn:2"}]}
    back = {"ingredients": [{"title": "a", "active_manifest": "urn:1"}]}
    _, (below, above) = _views(loop, manifests={"urn:2": back})
    assert "org.sfumato.ingredient.circular" not in below.codes
    assert (above.state, above.codes) == ("invalid", ("org.sfumato.ingredient.circular",))


def test_what_is_found_about_a_manifest_counts_wherever_it_is_named() -> None:
    entries = [{"label": f"c2pa.ingredient.v3{end}", "active_manifest": "urn:2"} for end in ("", "__1")]
    delta = _delta(failure=("claimSignature.mismatch",))
    _, found = _views({"ingredients": entries}, manifests={"urn:2": {"title": "x"}}, validation_results=delta)
    assert [ingredient.state for ingredient in found] == ["invalid", "invalid"]


@pytest.mark.parametrize("now", ["timeStamp.mismatch", "timeStamp.untrusted"])
def test_a_record_of_a_time_stamp_does_not_count_against_what_is_found_now(now: str) -> None:
    good = {"success": [{"code": code} for code in ("timeStamp.validated", "timeStamp.trusted", "claim.other")]}
    entry = {
        "label": "c2pa.ingredient.v3",
        "active_manifest": "urn:2",
        "validation_results": {"activeManifest": good},
    }
    delta = _delta()
    _, (before,) = _views({"ingredients": [entry]}, manifests={"urn:2": {"title": "x"}}, validation_results=delta)
    delta["ingredientDeltas"][0]["validationDeltas"]["informational"] = [{"code": now}]
    _, (after,) = _views({"ingredients": [entry]}, manifests={"urn:2": {"title": "x"}}, validation_results=delta)
    assert before.view is not None
    assert after.view is not None
    assert "timeStamp.trusted" in before.view.successes
    assert after.view.successes == ("claim.other",)


def test_failures_in_the_older_form_count() -> None:
    entry = {"active_manifest": "urn:2", "validation_status": [{"code": "claimSignature.mismatch"}]}
    _, found = _views({"ingredients": [entry]}, manifests={"urn:2": {}})
    assert (found[0].state, found[0].codes) == ("invalid", ("claimSignature.mismatch",))


@pytest.mark.parametrize(
    ("codes", "source"),
    [
        (["timeStamp.trusted"], "time-stamp"),
        (["timeStamp.validated"], "unverified time-stamp"),
        ([], "unverified time-stamp"),
    ],
)
def test_how_the_time_is_known(codes: list[str], source: str) -> None:
    results = {"activeManifest": {"success": [{"code": code} for code in codes]}}
    view, _ = _views({"signature_info": {"time": "2024-01-01T00:00:00+00:00"}}, validation_results=results)
    assert (view.time, view.time_source) == ("2024-01-01T00:00:00+00:00", source)


def test_a_time_without_a_stamp_is_a_claim() -> None:
    actions = {
        "label": "c2pa.actions.v2",
        "data": {"actions": [{"action": "c2pa.created", "when": "2020-02-02T00:00:00Z"}]},
    }
    view, _ = _views({"assertions": [actions]})
    assert (view.time, view.time_source) == ("2020-02-02T00:00:00Z", "claimed")
    assert _views({})[0].time_source == ""


def test_names_come_from_the_certificate() -> None:
    names = {"subject": {"CN": "Ada", "O": "Works (development)"}, "issuer": {"CN": "Root"}}
    report = {"manifests": [{"label": "urn:1", "signature": {"certificateInfo": names}}]}
    view, _ = read_views(
        _Reader(
            {"active_manifest": "urn:1", "manifests": {"urn:1": {"signature_info": {"common_name": "Bob"}}}}, report
        )
    )
    assert (view.signer, view.organisation, view.issuer, view.development) == (
        "Ada",
        "Works (development)",
        "Root",
        True,
    )


@pytest.mark.parametrize("report", [{}, [], None, {"active_manifest": "urn:1", "manifests": {}}])
def test_no_report_to_speak_of_is_an_error_that_the_caller_knows(report: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        read_views(_Reader(report))


@pytest.mark.parametrize("full", ["no report", "[" * 100_000, "[]", '{"manifests": [{"label": 7}]}'])
def test_without_a_full_report_names_come_from_the_short_one(full: str) -> None:
    class Short(_Reader):
        def crjson(self) -> str:
            return full

    manifest = {"signature_info": {"common_name": "Bob", "issuer": "Works"}}
    view, _ = read_views(Short({"active_manifest": "urn:1", "manifests": {"urn:1": manifest}}))
    assert (view.signer, view.organisation, view.issuer, view.bindings) == ("Bob", "Works", None, {})


def test_an_ingredient_declares_what_its_manifest_says_and_what_is_said_of_it() -> None:
    def kind(name: str) -> str:
        return f"http://cv.iptc.org/newscodes/digitalsourcetype/{name}"

    made = {"label": "c2pa.actions.v2", "data": {"actions": [{"digitalSourceType": kind("digitalCapture")}]}}
    entries = [{"active_manifest": "urn:2"}, {"digital_source_type": kind("trainedAlgorithmicMedia")}]
    entries.append(entries[0] | entries[1])
    _, found = _views({"ingredients": entries}, manifests={"urn:2": {"assertions": [made]}})
    assert [ingredient.declares for ingredient in found] == [
        ("digitalCapture",),
        ("trainedAlgorithmicMedia",),
        ("digitalCapture", "trainedAlgorithmicMedia"),
    ]


def _bound(parents: list[str], bound: tuple[str, ...], **entry: Any) -> list[str]:
    """The bindings of urn:1, made from `parents`, where the manifests `bound` have one each, named after them."""
    entries = [{"relationship": "parentOf", "active_manifest": name, **entry} for name in parents]
    manifests = {"urn:1": {"ingredients": entries}, "urn:2": {"ingredients": entries[:1]}, "urn:3": {}}
    full = [{"label": name, "assertions": {f"c2pa.hash.data__{name[-1]}": {}, "other": {}}} for name in bound]
    view, _ = read_views(_Reader({"active_manifest": "urn:1", "manifests": manifests}, {"manifests": full}))
    return list(view.bindings)


def test_an_update_leans_on_the_binding_of_its_only_parent() -> None:
    assert _bound(["urn:3"], ("urn:3",)) == ["c2pa.hash.data__3"]
    assert _bound(["urn:3"], ("urn:1", "urn:3")) == ["c2pa.hash.data__1"]  # its own comes first
    assert _bound(["urn:2", "urn:3"], ("urn:3",)) == []  # which of the two?
    assert _bound([], ("urn:3",)) == []
    assert _bound(["urn:3"], ("urn:3",), relationship="componentOf") == []
    assert _bound(["urn:2"], ("urn:3",)) == []  # and a parent that leads to itself ends somewhere


def test_of_more_ingredients_than_are_shown_one_is_kept_to_say_so() -> None:
    many = {"ingredients": [{"title": "below"}] * 80}
    top = [{"title": "first", "active_manifest": "urn:2"}, {"title": "second", "active_manifest": "urn:3"}]
    _, found = _views({"ingredients": top}, manifests={"urn:2": many, "urn:3": many})
    assert len(found) == MOST + 1


def test_what_is_found_now_is_looked_up_by_manifest_and_assertion() -> None:
    entry = {"label": "a", "active_manifest": "urn:2"}
    changed = {"failure": [{"code": "claimSignature.mismatch"}]}
    for place, state in (
        ("self#jumbf=/c2pa/urn:1/c2pa.assertions/a", "invalid"),
        ("x/urn:1/c2pa.assertions/a", "invalid"),
        ("urn:1/c2pa.assertions/a", "untrusted"),
        ("self#jumbf=/c2pa/urn:9/c2pa.assertions/a", "untrusted"),
    ):
        deltas = {"ingredientDeltas": [{"ingredientAssertionURI": place, "validationDeltas": changed}]}
        _, found = _views({"ingredients": [entry]}, manifests={"urn:2": {}}, validation_results=deltas)
        assert found[0].state == state


def test_an_ingredient_is_the_files_own_unless_it_is_said_to_lie_deeper() -> None:
    assert Ingredient("part", "componentOf", None, "none").depth == 0
