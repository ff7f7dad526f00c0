"""A judge of videos: how likely is it that a face in it was generated or altered."""
