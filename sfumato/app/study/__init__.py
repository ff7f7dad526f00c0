"""The user study of the paper (section 4): people look for the fake among clips of one person."""
