"""What the tests of a set's check share: a set to spoil."""

from tests.set_fixtures import clouds, packed_set, seen

__all__ = ["clouds", "packed_set", "seen"]
