"""What the service answers: the API, its page, health and metrics."""
