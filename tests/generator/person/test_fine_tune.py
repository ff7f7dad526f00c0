"""Few-shot learning: it starts from the generic G bit for bit, improves on it, and leaves everything else alone."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from generator.config import LossConfig, TuneConfig
from generator.data.episodes import to_tensors
from generator.networks.checkpoint import Checkpoint
from generator.person import fine_tune as module
from generator.person.fine_tune import Person, fine_tune, held_out_frames, meet, usual_iterations
from sfumato.errors import ConfigError
from tests.generator_fixtures import PLAIN, SIZE, WARP, checkpoint, clip_of, episode, same_picture

LOSS = LossConfig(vgg19=0, vggface=0, pixel=8, adversarial=0.1, feature_matching=0.1)
TUNE = TuneConfig(iterations=4, batch=2, learning_rate=1e-3, loss=LOSS, check_every=2)


def person_of(networks: Checkpoint, frames: int = 3) -> Person:
    clip = clip_of(0, max(frames, 2))
    shown = [clip.frame(i, SIZE) for i in range(frames)]
    return meet(networks, *to_tensors([image for image, _ in shown], [points for _, points in shown]))


def picture(person: Person) -> torch.Tensor:
    e = episode()
    return person.picture(e.target_sketch, e.target_landmarks)


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("family", [PLAIN, WARP])
def test_before_its_first_step_the_personal_g_gives_what_the_generic_one_gives(family: str, frames: int) -> None:
    networks = checkpoint(family)
    person = person_of(networks, frames)
    embedding = networks.embedder.identity(person.faces[None], person.sketches[None])
    e = person.episode(episode().target_sketch, episode().target_landmarks)
    generic = same_picture(networks, e, networks.generator.project(embedding).expand(2, -1))
    assert torch.equal(picture(person), generic)
    assert torch.equal(picture(fine_tune(networks, person, replace(TUNE, iterations=0))), generic)


@pytest.mark.parametrize("family", [PLAIN, WARP])
def test_when_nothing_helps_the_generic_g_comes_back_bit_for_bit(family: str) -> None:
    networks = checkpoint(family, awake=False, spectral_norm=True)
    person = person_of(networks)
    spoiled = fine_tune(networks, person, replace(TUNE, learning_rate=1e3))
    assert len(spoiled.history) > 1 and min(spoiled.history) == spoiled.history[0]
    assert torch.equal(picture(spoiled), picture(person))


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("family", [PLAIN, WARP])
def test_fine_tuning_improves_on_its_own_check(family: str, frames: int) -> None:
    networks = checkpoint(family)
    tuned = fine_tune(networks, person_of(networks, frames), replace(TUNE, iterations=8, check_every=4))
    assert min(tuned.history) < tuned.history[0]


@pytest.mark.parametrize(
    ("count", "held_out"), [(1, ()), (3, ()), (4, (2,)), (8, (2, 6)), (32, (4, 12, 20, 28)), (200, (25, 75, 125, 175))]
)
def test_from_four_frames_on_some_are_held_out(count: int, held_out: tuple[int, ...]) -> None:
    assert held_out_frames(count) == held_out


def test_what_is_held_out_teaches_nothing_and_decides_when_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = checkpoint(WARP)
    person = person_of(networks, 4)
    taught: list[torch.Tensor] = []
    draw = module._draw
    monkeypatch.setattr(module, "_draw", lambda p, rng, batch: (taught.append(p.faces), draw(p, rng, batch))[1])
    tuned = fine_tune(networks, person, TUNE)
    assert len(taught) == TUNE.iterations  # and no check was drawn
    assert all(torch.equal(faces, person.faces[[0, 1, 3]]) for faces in taught)
    assert tuned.held_out == (2,) and len(tuned.faces) == 4  # all are sources again
    changed = replace(person, faces=person.faces.clone())
    changed.faces[2] = -changed.faces[2]
    assert fine_tune(networks, changed, TUNE).history[0] != tuned.history[0]


@pytest.mark.parametrize("frames", [1, 4])
def test_it_says_which_state_it_kept(frames: int) -> None:
    networks = checkpoint(PLAIN)
    tuned = fine_tune(networks, person_of(networks, frames), replace(TUNE, iterations=8, patience=100))
    assert tuned.kept == TUNE.check_every * tuned.history.index(min(tuned.history))
    spoiled = fine_tune(networks, person_of(networks, frames), replace(TUNE, learning_rate=1e3))
    assert spoiled.kept == 0


def test_the_usual_number_of_iterations_is_the_authors() -> None:
    assert [usual_iterations(count) for count in (1, 32, 500)] == [125, 230, 230]
    assert 125 < usual_iterations(8) < 230


def test_checkpoint_and_person_stay_as_they_are() -> None:
    networks = checkpoint(PLAIN)
    person = person_of(networks)
    modules = [networks.embedder, networks.generator, networks.critic]
    before = [{k: v.clone() for k, v in m.state_dict().items()} for m in modules if m is not None]
    psi = person.psi.clone()
    fine_tune(networks, person, TUNE)
    after = [m.state_dict() for m in modules if m is not None]
    assert all(torch.equal(a[k], b[k]) for a, b in zip(before, after, strict=True) for k in a)
    assert torch.equal(psi, person.psi) and person.iterations == 0


def test_psi_is_trained_directly_and_p_is_not() -> None:
    networks = checkpoint(PLAIN)
    person = person_of(networks)
    tuned = fine_tune(networks, person, TUNE)
    assert not torch.equal(tuned.psi, person.psi)
    assert torch.equal(tuned.generator.network.projection.weight, networks.generator.network.projection.weight)


def test_the_best_state_is_kept() -> None:
    networks = checkpoint(PLAIN)
    tuned = fine_tune(networks, person_of(networks), replace(TUNE, iterations=14, learning_rate=1e-2, patience=100))
    again = fine_tune(networks, tuned, replace(TUNE, iterations=2, learning_rate=1e3))
    assert again.history[0] == pytest.approx(min(tuned.history), rel=1e-3)


def test_without_a_critic_it_tunes_on_the_other_losses() -> None:
    networks = checkpoint(PLAIN, critic=False)
    assert fine_tune(networks, person_of(networks), TUNE).iterations == TUNE.iterations


def test_the_same_seed_gives_the_same_person() -> None:
    networks = checkpoint(PLAIN)
    one, other = (fine_tune(networks, person_of(networks), TUNE) for _ in range(2))
    assert torch.equal(picture(one), picture(other))


def test_it_stops_in_time_and_looks_at_what_it_has() -> None:
    networks = checkpoint(PLAIN)
    started = time.monotonic()
    tuned = fine_tune(
        networks, person_of(networks), replace(TUNE, iterations=100_000, seconds=0.5, check_every=1000, patience=1000)
    )
    assert time.monotonic() - started < 20
    assert 0 < tuned.iterations < 100_000
    assert len(tuned.history) == 2


def test_it_stops_when_nothing_helps_any_more() -> None:
    networks = checkpoint(PLAIN)
    tuned = fine_tune(networks, person_of(networks), replace(TUNE, iterations=1000, learning_rate=1e3, patience=2))
    assert tuned.iterations == 4


def test_progress_counts_iterations() -> None:
    networks = checkpoint(PLAIN)
    amounts: list[float] = []
    fine_tune(networks, person_of(networks), TUNE, amounts.append)
    assert sum(amounts) == TUNE.iterations


def test_two_people_do_not_share_a_picture() -> None:
    torch.manual_seed(0)
    networks = checkpoint(PLAIN)
    e = episode(batch=2)
    people = [meet(networks, e.faces[i], e.sketches[i], e.landmarks[i]) for i in range(2)]
    assert not torch.allclose(picture(people[0]), picture(people[1]))


@pytest.mark.parametrize(
    "change", [{"iterations": -1}, {"seconds": -1.0}, {"batch": 0}, {"patience": 0}, {"check_every": 0}]
)
def test_impossible_tuning_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        TuneConfig(**change)  # type: ignore[arg-type]
