"""The credential as a tree: who signed, what holds, what it says; nothing where there is none."""

from sfumato.app.review.credential_tree import credential_tree
from tests.media_fixtures import make_video
from tests.signing_fixtures import seal_video


def names(node) -> set[str]:
    return {node["name"]}.union(*(names(part) for part in node["parts"]))


def test_tree_of_a_sealed_video(tmp_path) -> None:
    tree = credential_tree(seal_video(tmp_path / "a.mp4"))
    assert tree is not None and tree["open"]
    assert {"title", "signed by", "checks that held", "held", "assertion", "says"} <= names(tree)
    assertions = [part["said"] for part in tree["parts"] if part["name"] == "assertion"]
    assert any(said.startswith("c2pa.actions") for said in assertions)


def test_no_tree_without_a_credential(tmp_path) -> None:
    assert credential_tree(make_video(tmp_path / "a.mp4")) is None
    (tmp_path / "b.mp4").write_bytes(b"noise")
    assert credential_tree(tmp_path / "b.mp4") is None
    assert credential_tree(tmp_path / "none.mp4") is None
