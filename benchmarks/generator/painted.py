"""How much of what lies between open lips was painted by the network, and how much only moved there. A person of the
warp family and a pose in, a share out.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from benchmarks.metrics.lip_region import inside_lips, lips_open
from generator.motion.track import Landmarks
from generator.networks.episode import source_warps
from generator.networks.families import WarpGenerator, has_network
from generator.networks.mouth import unknown
from generator.rendering.animator import Animator
from sfumato.media.landmarks.drawing import draw_sketch


def paint_figures(animator: Animator, poses: Iterable[tuple[Landmarks, bool]]) -> dict[str, float]:
    """poses: landmarks (68, 2) in [-1, 1], and whether the driver's teeth show. Returns the means over the poses with
    open lips: `paint` over all of them, `paint_teeth` over those with teeth; nothing where there are none, or for a
    family that has no mask.
    """
    shares = [(painted_share(animator, landmarks), teeth) for landmarks, teeth in poses if lips_open(landmarks)]
    known = [(share, teeth) for share, teeth in shares if share is not None]
    figures = {}
    if known:
        figures["paint"] = float(np.mean([share for share, _ in known]))
    if with_teeth := [share for share, teeth in known if teeth]:
        figures["paint_teeth"] = float(np.mean(with_teeth))
    return figures


@torch.inference_mode()
def painted_share(animator: Animator, landmarks: Landmarks) -> float | None:
    """landmarks: (68, 2) in [-1, 1]. The mean of the family's mask between the inner lips at the network's own size;
    None for a family without a mask, or where no pixel lies there.
    """
    person, size = animator.person, animator.size
    generator = None if person is None else person.generator
    if person is None or not isinstance(generator, WarpGenerator) or not has_network(generator):
        return None
    pixels = np.asarray(((landmarks + 1) * size - 1) / 2, np.float32)
    between = inside_lips(pixels, size)
    if not between.any():
        return None
    sketch = (torch.from_numpy(draw_sketch(pixels, size)).permute(2, 0, 1).float() / 127.5 - 1)[None]
    points = torch.from_numpy(np.asarray(landmarks, np.float32))[None]
    sources, grids = source_warps(person.episode(sketch, points), generator.warps)
    made = generator.compose(generator.head(sketch, person.psi, sources, grids), sources, grids)
    much = unknown(landmarks, person.landmarks.cpu().numpy())
    mask = generator.open_mouth(made, person.psi, points, much).mask[0, 0].numpy()  # (S, S)
    return float(mask[between].mean())
