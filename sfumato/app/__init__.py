"""The top floor: the command line and what joins generator, detector and provenance."""
