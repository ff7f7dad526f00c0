"""Records to the tables of the pages."""
