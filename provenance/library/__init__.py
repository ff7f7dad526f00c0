"""The one door to the C2PA library: its settings, its errors, reading stores and writing signatures."""
