"""Names to parts, loaded on use: one line `name -> "module:attribute"` adds a part.

A part whose optional package is missing spoils only itself, and its error says which extra to install.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from sfumato.errors import MissingPartError, UsageError, choose_from, install_extra


class Registry:
    """What can be chosen by name, of one kind (landmark backends, generator families, ...)."""

    def __init__(self, kind: str, entries: Mapping[str, str], extras: Mapping[str, str] | None = None) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._extras = dict(extras or {})

    def names(self) -> list[str]:
        """What can be chosen, sorted."""
        return sorted(self._entries)

    def load(self, name: str) -> Any:
        """Returns the object behind `name`. Raises UsageError for an unknown name, MissingPartError for a missing
        package.
        """
        if name not in self._entries:
            raise UsageError(f"Unknown {self.kind} {name!r}", choose_from(name, self.names()))
        module_name, attribute = self._entries[name].split(":")
        try:
            return getattr(importlib.import_module(module_name), attribute)
        except ModuleNotFoundError as error:
            extra = self._extras.get(name)
            advice = install_extra(extra) if extra else f"Install the package {error.name}."
            raise MissingPartError(
                f"The {self.kind} {name!r} needs {error.name}, which is not installed", advice
            ) from error
        except ImportError as error:  # installed, but a shared library of the system is missing
            raise MissingPartError(
                f"The {self.kind} {name!r} cannot be loaded: {error}", "Run: sfumato doctor."
            ) from error


def lazy_names(package: str, table: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package (PEP 562). `table`: {public name: "module:attribute"}. Raises AttributeError for
    any other name, as Python does.
    """

    def load(name: str) -> Any:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, attribute = table[name].split(":")
        return getattr(importlib.import_module(module), attribute)

    return load
