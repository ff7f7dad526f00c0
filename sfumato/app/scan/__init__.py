"""Files to verdicts: credentials first, then watermark and detector."""
