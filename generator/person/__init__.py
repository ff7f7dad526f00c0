"""One person learned from a few pictures: fine-tuning, and the file that keeps the result."""
