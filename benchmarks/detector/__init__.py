"""The detector measured: held-out fakes, treatments, controls, motion, speed."""
