"""What is wrong with a set before anybody learns from it: one module for each kind of fault."""
