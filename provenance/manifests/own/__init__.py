"""A manifest definition that somebody wrote, in the form that c2patool takes: read, checked, and joined with ours."""
