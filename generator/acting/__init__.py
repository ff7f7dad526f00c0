"""Motions that nobody made: a face acts by rules and a seed."""
