"""The commands of a user study: the page that asks, and what its answers say."""
