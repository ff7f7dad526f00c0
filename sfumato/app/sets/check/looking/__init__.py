"""What a check looks at in each file, once."""
