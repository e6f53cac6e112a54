"""The surroundings of a place in a parsed text: whole statements, blocks, scopes and the names they
declare.

Here, and only here, the types of the grammar's nodes count; what is compared is always text. Called
by the kind `patch`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from kjpstate.formats.typescript.grammar import COMMENTS
from kjpstate.formats.typescript.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

Fault: TypeAlias = Literal["partial-statement", "unbraced-body"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LISTS = _words(
    "program statement_block switch_case switch_default class_body object array interface_body "
    "object_type "
    "enum_body switch_body named_imports export_clause"
)
"""Nodes whose children are a list in which whole lines may be added or replaced."""

_BODIES = _words(
    "if_statement else_clause for_statement for_in_statement while_statement do_statement "
    "labeled_statement "
    "with_statement arrow_function"
)
"""Nodes that take one statement (or expression) as a body without braces."""

_FUNCTIONS = _words(
    "function_declaration generator_function_declaration function_expression generator_function "
    "arrow_function method_definition"
)
_BRACKETS = _words("{ } [ ]")
_NAMES = _words("identifier type_identifier shorthand_property_identifier_pattern")
_BEFORE_CODE = re.compile(r"//\s*@ts-(no)?check|///|/\*\s*eslint-(disable|enable|env)(?!-)")
"""Comments that speak of what follows them as a whole, so that nothing goes above them."""


@dataclass(frozen=True)
class Place:
    """A whole statement (member, property, case): its bytes, and whether it
    stands at module level."""

    start: int
    end: int
    module: bool
    container: Node


def statement(source: Source, offset: int) -> Place | Fault:
    """The innermost whole statement that holds the leaf at `offset`; its
    decorators belong to it."""
    node = _leaf(source, offset)
    while node.parent is not None:
        parent = node.parent
        if parent.type in _LISTS and not _heads_case(node, parent):
            first, last = _with_decorators(node)
            if not last.is_named:
                return "partial-statement"
            return _place(_span(first)[0], _span(last)[1], parent)
        if _is_body(node, parent):
            return "unbraced-body"
        node = parent
    return "partial-statement"


def whole(source: Source, start: int, end: int) -> Place | Fault:
    """`start:end` (from a leaf to a leaf) as whole statements of one list, or what is wrong with
    it."""
    node = source.tree.root_node.descendant_for_byte_range(start, end)
    assert node is not None
    if node.type == "program" or _span(node) != (start, end):
        return _several(source, node, start, end)
    while node.parent is not None and node.parent.type not in _LISTS:
        if _span(node.parent) != (start, end):
            return "unbraced-body" if _is_body(node, node.parent) else "partial-statement"
        node = node.parent
    if node.parent is None or not node.is_named or _with_decorators(node) != (node, node):
        return "partial-statement"
    return _place(start, end, node.parent)


def region(source: Source, first: int, last: int) -> tuple[int, int]:
    """The bytes that the leaves `first` to `last` (not included) open: a block, or a whole
    statement."""
    if source.texts[last - 1] == "{":
        block = braces(source, last - 1)
        if block is not None:
            return block
    node = _leaf(source, source.starts[first])
    while (
        node.parent is not None
        and node.parent.type not in _LISTS
        and node.parent.type != "else_clause"
    ):
        node = node.parent
    return node.start_byte, node.end_byte


def braces(source: Source, index: int) -> tuple[int, int] | None:
    """The bytes from the `{` that is leaf `index` to its `}`, both included."""
    parent = _leaf(source, source.starts[index]).parent
    if parent is None or not parent.children or parent.children[-1].type != "}":
        return None
    return source.starts[index], parent.end_byte


def at_module_level(source: Source, start: int, end: int) -> bool:
    """Tell whether `start:end` stands outside of every function, class and block."""
    node = source.tree.root_node.descendant_for_byte_range(start, end)
    while node is not None and node.type == "comment":
        node = node.parent
    if node is None or node.type == "program":
        return True
    place = whole(source, start, end)
    return isinstance(place, Place) and place.module


def leading_comments(source: Source, start: int, floor: int) -> int:
    """Where the run of comment lines right above `start` begins; never at or above byte `floor`."""
    place = source.line_start(start)
    while place > floor:
        above = source.line_start(place - 1)
        comment = _comment_on(source, above, place)
        if comment is None:
            break
        begin = source.line_start(comment)
        text = source.data[comment : comment + 200].decode(errors="replace")
        if begin < floor or _BEFORE_CODE.match(text) or text.startswith("#!"):
            break
        if source.data[begin:comment].strip():
            break
        place = begin
    return place


def list_around(source: Source, offset: int) -> Node:
    """The innermost list of statements (or members, …) that the line start `offset` stands in."""
    node = source.tree.root_node.descendant_for_byte_range(offset, offset)
    while node is not None and node.parent is not None:
        if node.type in _LISTS and node.start_byte < offset < node.end_byte:
            return node
        node = node.parent
    return source.tree.root_node


def declared(container: Node) -> list[tuple[str, int]]:
    """(name, offset) of all that a list of statements declares itself (of a function, its
    parameters too)."""
    names = [name for child in container.children for name in _declared_by(child)]
    if container.parent is not None and container.parent.type in _FUNCTIONS:
        names += _parameters(container.parent)
    return [(_text(name), name.start_byte) for name in names]


def declared_in(source: Source, start: int, end: int) -> set[str]:
    """The names that the statements in `start:end` declare for those around them."""
    found = set()
    for child in source.tree.root_node.children:
        if start <= child.start_byte and child.end_byte <= end:
            found |= {_text(name) for name in _declared_by(child)}
    return found


def shadows(source: Source, offset: int, names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """(name, offset) of every scope between `offset` and the module that declares one of `names`
    itself."""
    wanted = set(names)
    node: Node | None = source.tree.root_node.descendant_for_byte_range(offset, offset)
    while node is not None and node.type != "program":
        scope: dict[str, int] = {}
        if node.type in ("statement_block", "switch_body", "switch_case", "switch_default"):
            scope = dict(declared(node))
        elif node.type in ("for_statement", "for_in_statement", "catch_clause", *_FUNCTIONS):
            scope = {_text(name): name.start_byte for name in _heads(node)}
        yield from ((name, scope[name]) for name in sorted(wanted & scope.keys()))
        wanted -= scope.keys()
        node = node.parent


def _leaf(source: Source, offset: int) -> Node:
    node = source.tree.root_node.descendant_for_byte_range(offset, offset + 1)
    assert node is not None
    return node


def _place(start: int, end: int, container: Node) -> Place:
    return Place(start, end, container.type == "program", container)


def _span(node: Node) -> tuple[int, int]:
    """From the first to the last leaf of `node`: where no `;` ends it, the grammar counts a comment
    to it."""
    return _edge(node, 0).start_byte, _edge(node, -1).end_byte


def _edge(node: Node, side: Literal[0, -1]) -> Node:
    """The first (0) or last (-1) descendant of `node` that is neither a comment nor without a
    width."""
    while True:
        inner = [
            child
            for child in node.children
            if child.type not in COMMENTS and child.start_byte < child.end_byte
        ]
        if not inner:
            return node
        node = inner[side]


def _several(source: Source, node: Node, start: int, end: int) -> Place | Fault:
    """Tell whether `start:end` is a run of whole children of `node`."""
    if node.type not in _LISTS:
        return "partial-statement"
    children = [child for child in node.children if child.type not in COMMENTS]
    near = [
        number
        for number, child in enumerate(children)
        if start < child.end_byte and child.start_byte < end
    ]
    spans = {number: _span(children[number]) for number in near}
    inside = [number for number, span in spans.items() if start <= span[0] and span[1] <= end]
    crossed = any(one < start < other or one < end < other for one, other in spans.values())
    if crossed or not inside or (spans[inside[0]][0], spans[inside[-1]][1]) != (start, end):
        return "partial-statement"
    before = children[inside[0] - 1] if inside[0] else None
    parted = (before is not None and before.type == "decorator") or children[
        inside[-1]
    ].type == "decorator"
    if parted or any(children[number].type in _BRACKETS for number in inside):
        return "partial-statement"
    return _place(start, end, node)


def _heads_case(node: Node, parent: Node) -> bool:
    """Tell whether `node` is the word, the value or the colon of a `case`."""
    if parent.type not in ("switch_case", "switch_default"):
        return False
    return not node.is_named or parent.child_by_field_name("value") == node


def _with_decorators(node: Node) -> tuple[Node, Node]:
    """The first and the last node of a member with the decorators that stand
    before it in a class."""
    first = last = node
    while last.type == "decorator" and last.next_named_sibling is not None:
        last = last.next_named_sibling
    while first.prev_named_sibling is not None and first.prev_named_sibling.type == "decorator":
        first = first.prev_named_sibling
    return first, last


def _is_body(node: Node, parent: Node) -> bool:
    if parent.type not in _BODIES or node.type in ("statement_block", "else_clause"):
        return False
    if parent.type == "arrow_function":
        return parent.child_by_field_name("body") == node
    heads = ("condition", "left", "right", "initializer", "increment", "label")
    return node.is_named and all(parent.child_by_field_name(name) != node for name in heads)


def _comment_on(source: Source, start: int, end: int) -> int | None:
    """The start of the comment that is all there is on the line `start:end`; it may have begun
    above."""
    text = source.data[start:end].rstrip()
    if not text:
        return None
    node = source.tree.root_node.descendant_for_byte_range(start + len(text) - 1, start + len(text))
    if node is None or node.type not in ("comment", "hash_bang_line"):
        return None
    return node.start_byte


def _declared_by(node: Node) -> Iterator[Node]:
    """The name nodes that one statement declares in the list it stands in."""
    if node.type in ("export_statement", "ambient_declaration"):
        for child in node.named_children:
            yield from _declared_by(child)
    elif node.type in ("lexical_declaration", "variable_declaration"):
        for child in node.named_children:
            name = child.child_by_field_name("name")
            if name is not None:
                yield from _bound(name)
    elif node.type == "import_statement":
        yield from _imported(node)
    elif (
        node.type.endswith(("_declaration", "function_signature")) or node.type == "internal_module"
    ):
        name = node.child_by_field_name("name")
        if name is not None and name.type in _NAMES:
            yield name
    elif node.type == "expression_statement":
        for child in node.named_children:
            if child.type == "internal_module":
                yield from _declared_by(child)


def _imported(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type == "import_specifier":
            name = child.child_by_field_name("alias") or child.child_by_field_name("name")
            if name is not None:
                yield name
        elif child.type == "identifier":
            yield child
        elif child.type != "string":
            yield from _imported(child)


def _bound(node: Node) -> Iterator[Node]:
    """The names inside a binding: itself, or those of a destructuring."""
    if node.type in _NAMES:
        yield node
    elif node.type in ("assignment_pattern", "object_assignment_pattern"):
        left = node.child_by_field_name("left")
        if left is not None:
            yield from _bound(left)
    elif node.type == "pair_pattern":
        value = node.child_by_field_name("value")
        if value is not None:
            yield from _bound(value)
    elif node.type.endswith("_pattern"):
        for child in node.named_children:
            yield from _bound(child)


def _parameters(function: Node) -> Iterator[Node]:
    single = function.child_by_field_name("parameter")
    if single is not None:
        yield from _bound(single)
    parameters = function.child_by_field_name("parameters")
    for child in parameters.named_children if parameters is not None else ():
        pattern = child.child_by_field_name("pattern")
        if pattern is not None:
            yield from _bound(pattern)


def _heads(node: Node) -> Iterator[Node]:
    """The names that a function's, a loop's or a catch's head declares."""
    if node.type in _FUNCTIONS:
        yield from _parameters(node)
    elif node.type == "for_statement":
        head = node.child_by_field_name("initializer")
        if head is not None:
            yield from _declared_by(head)
    else:
        name = node.child_by_field_name("left" if node.type == "for_in_statement" else "parameter")
        if name is not None:
            yield from _bound(name)


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
