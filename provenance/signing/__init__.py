"""From a file to the same file with its manifest: one, many, or a video that was just made."""
