"""Portraits to frames: reading a portrait, rendering it in motion, and setting the face back into its picture."""
