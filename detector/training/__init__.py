"""From clips to a detector that ships: training, calibration, packaging, export."""
