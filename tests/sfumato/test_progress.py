"""What is told of progress: one line where nobody watches."""

from __future__ import annotations

import pytest

from sfumato.progress import progress


@pytest.mark.parametrize(
    ("total", "steps", "told"), [(3, 2, "Reading: 2 of 3"), (3, 5, "Reading: 5 of 5"), (None, 4, "Reading: 4")]
)
def test_a_total_that_was_guessed_too_low_grows(
    total: float | None, steps: int, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with progress("Reading", total) as advance:
        for _ in range(steps):
            advance(1)
    assert capfd.readouterr().err == f"{told}\n"
