"""Two outside detectors, as worked examples of what `sfumato evaluate --detector` takes."""
