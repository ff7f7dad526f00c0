"""Files to verdicts: credentials first, then the detector."""
