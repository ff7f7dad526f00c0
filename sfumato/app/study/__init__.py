"""The user study of the paper (section 4): people find the fake among clips of one person; how often, is the measure."""
