"""What the service keeps: keys, jobs and their queue, decisions, webhooks, in SQLite or in PostgreSQL."""
