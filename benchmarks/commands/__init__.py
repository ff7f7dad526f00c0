"""The commands of `sfumato bench`: click only."""
