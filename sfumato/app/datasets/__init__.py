"""Footage to labelled clips."""
