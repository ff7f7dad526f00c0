"""Mutants of one module, by cosmic-ray's operators: what is changed, and how the line reads then.

In: a module's text. Out: `Mutant`s. Left out, because no test should notice: annotations, decorators, what stands under
`if TYPE_CHECKING:`, the `*` and `/` of a signature, which cosmic-ray takes for arithmetic, and operators that mostly
make the same program again (`==` to `is`). cosmic-ray does not touch strings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

OPERATORS = re.compile(
    r"core/(AddNot|NumberReplacer|ExceptionReplacer|ZeroIterationForLoop|Replace(True|False)With\w+"
    r"|Replace(And|Or)With\w+|Replace(Break|Continue)With\w+|ReplaceUnaryOperator_\w+"
    r"|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE|GtE_Gt|GtE_Lt"
    r"|In_NotIn|NotIn_In|Is_IsNot|IsNot_Is)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_Mul|Pow_Mul|BitOr_BitAnd|BitAnd_BitOr))"
)


_MARK = re.compile(r"[*/]\s*,")  # in a signature: what follows goes by name, or what came by place


@dataclass(frozen=True)
class Mutant:
    """operator: cosmic-ray's name. line: where, from 1. was, becomes: the changed lines. text: the whole module."""

    operator: str
    line: int
    was: str
    becomes: str
    text: str


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of a module, each different from all others, in the order of their lines."""
    found = {mutant.text: mutant for mutant in _every(source)}
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.operator, mutant.becomes))


def _every(source: str) -> Iterator[Mutant]:
    """By statements at the top of the module: cosmic-ray parses all it is given anew for each mutant."""
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))]) - 1
        before, after = "".join(lines[:first]), "".join(lines[node.end_lineno :])
        for operator, line, text in _of_statement("".join(lines[first : node.end_lineno])):
            whole = before + text + after
            was, becomes = _difference(source, whole)
            yield Mutant(operator, first + line, was, becomes, whole)


def _of_statement(source: str) -> Iterator[tuple[str, int, str]]:
    """Operator, line and text of each mutant of one statement, which may be a class."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    spans, lines = list(_left_out(ast.parse(source))), source.splitlines()
    nodes = list(ast_nodes(get_ast(source)))
    for name in sorted(filter(OPERATORS.fullmatch, operator_names())):
        operator = get_operator(name)()
        places = [at for node in nodes for at in operator.mutation_positions(node)]
        for occurrence, (start, end) in enumerate(places):
            if any(first <= tuple(start) and tuple(end) <= last for first, last in spans):
                continue
            if _MARK.match(lines[start[0] - 1], start[1]):
                continue
            try:
                text = mutate_code(source, operator, occurrence)
            except (AttributeError, ValueError):  # cosmic-ray does not know dotted names of exceptions
                continue
            if text is not None and text != source and _parses(text):
                yield name.removeprefix("core/"), start[0], text


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _left_out(tree: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The places of annotations, decorators and imports for types alone, as ((line, column), (line, column))."""
    for node in ast.walk(tree):
        skipped: list[ast.expr | ast.stmt | None] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            skipped += node.decorator_list
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            skipped.append(node.returns)
        if isinstance(node, ast.arg | ast.AnnAssign):
            skipped.append(node.annotation)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            skipped += [node.test, *node.body]
        for each in skipped:
            if each is not None:
                yield (each.lineno, each.col_offset), (each.end_lineno or 0, each.end_col_offset or 0)


def _difference(old: str, new: str) -> tuple[str, str]:
    """The lines that differ, stripped and joined by a space."""
    before, after = old.splitlines(), new.splitlines()
    start = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    end = next((i for i, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b), 0)
    return _one_line(before[start : len(before) - end]), _one_line(after[start : len(after) - end])


def _one_line(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
