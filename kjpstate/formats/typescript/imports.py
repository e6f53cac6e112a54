"""Where a module's imports end. Called by the kind `patch` for `insert_after: imports`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kjpstate.formats.typescript.grammar import COMMENTS
from kjpstate.formats.typescript.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

_DECLARATIONS = frozenset({"lexical_declaration", "variable_declaration"})
_AROUND_CALL = {"member_expression": "object", "call_expression": "function"}


def last_import(source: Source, hidden: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The bytes of the last `import` of the module, else of the last `require` of its first run of
    them.

    What starts in a span of `hidden` (a block of ours) does not count. None: the module imports
    nothing.
    """
    nodes = [
        node
        for node in source.tree.root_node.children
        if node.type not in COMMENTS
        and not any(one <= node.start_byte < other for one, other in hidden)
    ]
    imports = [node for node in nodes if node.type in ("import_statement", "import_alias")]
    if imports:
        return imports[-1].byte_range
    first = next((number for number, node in enumerate(nodes) if _requires(node)), None)
    if first is None:
        return None
    last = first
    while last + 1 < len(nodes) and _requires(nodes[last + 1]):
        last += 1
    return nodes[last].byte_range


def _requires(node: Node) -> bool:
    """Tell whether `node` is a declaration of nothing but `require('…')`, or such a call alone."""
    if node.type == "expression_statement":
        return bool(node.named_children) and _is_require(node.named_children[0])
    if node.type not in _DECLARATIONS:
        return False
    values = [
        child.child_by_field_name("value")
        for child in node.named_children
        if child.type == "variable_declarator"
    ]
    return bool(values) and all(value is not None and _is_require(value) for value in values)


def _is_require(node: Node | None) -> bool:
    """`require('a')`, `require('a').b`, `require('a')(c)`."""
    while node is not None:
        called = node.child_by_field_name("function")
        if called is not None and called.text == b"require":
            return True
        node = (
            node.child_by_field_name(_AROUND_CALL[node.type]) if node.type in _AROUND_CALL else None
        )
    return False
