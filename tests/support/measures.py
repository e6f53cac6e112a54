"""The measures of the house, as the table that `docs/architecture.md` shows.

`python -m tests.support.measures [FOLDER]`. A code line is one that is neither empty nor a comment,
nor of a docstring, nor only closing brackets; a node is one of `ast.walk`, contexts and operators
left out.
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CLOSING = re.compile(r"[\])}:, ]*")
_TEXTS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
_NOT_COUNTED = ast.expr_context | ast.operator | ast.boolop | ast.cmpop | ast.unaryop


@dataclass(frozen=True)
class Measures:
    """What is counted over all modules of a folder."""

    modules: int
    code_lines: int
    comment_lines: int
    nodes: int
    conditional_expressions: int
    comprehensions: int
    functions: tuple[int, ...]
    """The lines of each function."""
    anys: int


def measured(folder: Path) -> Measures:
    """All modules below `folder`, but those that hold only texts (`words/`)."""
    files = [file for file in sorted(folder.rglob("*.py")) if "words" not in file.parts]
    trees = [(ast.parse(text), text) for text in (file.read_text("utf-8") for file in files)]
    every = [node for tree, _ in trees for node in ast.walk(tree)]
    functions = [node for node in every if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return Measures(
        modules=len(files),
        code_lines=sum(len(_code_lines(tree, text)) for tree, text in trees),
        comment_lines=sum(len(_comment_lines(text)) for _, text in trees),
        nodes=sum(not isinstance(node, _NOT_COUNTED) for node in every),
        conditional_expressions=sum(isinstance(node, ast.IfExp) for node in every),
        comprehensions=sum(
            isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
            for node in every
        ),
        functions=tuple((node.end_lineno or 0) - node.lineno + 1 for node in functions),
        anys=sum(isinstance(node, ast.Name) and node.id == "Any" for node in every),
    )


def _code_lines(tree: ast.Module, text: str) -> set[int]:
    lines = {
        number
        for number, line in enumerate(text.splitlines(), 1)
        if not _CLOSING.fullmatch(line) and not line.lstrip().startswith("#")
    }
    return lines - set(_docstring_lines(tree))


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        for statement in node.body if isinstance(node, _TEXTS) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield from range(statement.lineno, (statement.end_lineno or 0) + 1)


def _comment_lines(text: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT}


def table(found: Measures) -> str:
    """The rows of the table in Markdown."""
    thousands = found.code_lines / 1000
    ordered = sorted(found.functions)
    rows = {
        "modules": found.modules,
        "code lines": found.code_lines,
        "syntax nodes a code line": f"{found.nodes / found.code_lines:.1f}",
        "conditional expressions a thousand lines": f"{found.conditional_expressions / thousands:.0f}",
        "comprehensions a thousand lines": f"{found.comprehensions / thousands:.0f}",
        "comment lines": f"{found.comment_lines / found.code_lines:.1%}",
        "lines of a function: median, 9 of 10, longest": " / ".join(
            map(str, (statistics.median(ordered), ordered[len(ordered) * 9 // 10], ordered[-1]))
        ),
        "`Any`": found.anys,
    }
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


if __name__ == "__main__":
    print(table(measured(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "kjpstate")))
