"""Motion without a face: tracks from videos, the canonical face, and fitting one head's motion to another."""
