"""Detectors side by side: any code or any scores, judged on the same videos, with paired differences."""
