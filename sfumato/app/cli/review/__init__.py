"""The commands that show a person what a scan found, and take back what the person says."""
