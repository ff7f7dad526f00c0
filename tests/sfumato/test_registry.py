"""A registry: parts by name, loaded on use, each fault its own sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sfumato.errors import MissingPartError, UsageError
from sfumato.registry import Registry


def test_a_part_is_loaded_on_use() -> None:
    registry = Registry("number", {"fraction": "fractions:Fraction", "decimal": "decimal:Decimal"})
    from decimal import Decimal

    assert registry.names() == ["decimal", "fraction"]
    assert registry.load("decimal") is Decimal


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"Unknown number 'real'\. Choose one of: decimal, fraction"):
        Registry("number", {"fraction": "fractions:Fraction", "decimal": "decimal:Decimal"}).load("real")


def test_a_missing_package_spoils_only_its_own_part_and_names_the_extra() -> None:
    registry = Registry(
        "signer", {"pem": "decimal:Decimal", "token": "no_such_package_here:Signer"}, extras={"token": "pkcs11"}
    )
    assert registry.load("pem")
    with pytest.raises(MissingPartError, match=r"pip install -e '.\[pkcs11\]'"):
        registry.load("token")


def test_without_an_extra_the_package_is_named() -> None:
    with pytest.raises(MissingPartError, match="Install the package no_such_package_here"):
        Registry("signer", {"token": "no_such_package_here:Signer"}).load("token")


def test_a_package_that_is_there_but_does_not_load_sends_to_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacks_a_library.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingPartError, match=r"libGL\.so\.1.*sfumato doctor"):
        Registry("backbone", {"x": "lacks_a_library:X"}).load("x")
    assert "lacks_a_library" not in sys.modules
