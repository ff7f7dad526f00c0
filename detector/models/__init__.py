"""The net and its parts: backbones, the frequency branch, weights on disk."""
