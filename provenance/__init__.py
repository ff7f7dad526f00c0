"""Where a file comes from: signing and checking of C2PA content credentials."""
