"""`sfumato datasets make`: a set by recipe."""
