"""What other programs say of files that were signed here."""
