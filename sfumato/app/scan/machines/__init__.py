"""A scan whose files are judged on many machines."""
