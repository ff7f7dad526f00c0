"""The commands of the detector: click only."""
