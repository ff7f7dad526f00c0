"""The structure of files, as far as a credential depends on it: containers, boxes, what a hash leaves out."""
