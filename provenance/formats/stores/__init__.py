"""Where in a file its manifest store lies, by the file's own structure: one module for each family of containers.

In: an open file. Out: the bytes [start, end) that carry the store, or ValueError if the structure cannot be followed.
"""
