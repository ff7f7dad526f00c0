"""A package by a file of its own: as a bare folder it would stand behind the `tests` that torch-fidelity installs."""
