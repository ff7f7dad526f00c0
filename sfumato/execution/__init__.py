"""How work is done: finding files, remembering what is done, sharing it over processes."""
