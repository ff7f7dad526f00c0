"""What `sfumato scan` costs: one video, many of them, several processes."""
