"""What the tests of repositories share."""

from tests.postgres_fixtures import postgres

__all__ = ["postgres"]
