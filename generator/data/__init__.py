"""Footage to episodes: reading, screening and preparing it, and drawing episodes from it."""
