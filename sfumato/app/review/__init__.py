"""Pages and pictures that show a person what was found: the report, the contact sheet, and the same clip without its
credential.
"""
