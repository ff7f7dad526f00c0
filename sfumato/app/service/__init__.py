"""The service of a detection team: files come in over HTTP, records go out; a table is the queue (docs/service.md)."""
