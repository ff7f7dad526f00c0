"""The commands of provenance, one file each: they parse, call one library function, print."""
