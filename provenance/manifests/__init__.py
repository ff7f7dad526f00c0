"""What a manifest says: building ours, reading anybody's."""
