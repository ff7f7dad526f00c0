"""How a face moves through a video, as evidence: it is watched, measured, judged."""
