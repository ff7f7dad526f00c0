"""The lines of the records, as what they hold."""
