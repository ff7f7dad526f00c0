"""sfumato: living portraits that say what they are, and a judge for those that do not."""

__version__ = "0.2.0"
