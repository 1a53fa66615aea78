"""A query as a tree of text: rendered for the engines, and cut down while a difference stays.

A node does not know SQL. It knows what of it may go: an optional clause as a whole, an item of a
list, an expression in favour of a smaller one of its kind. A cut that makes nonsense of the query
fails in both engines alike and is taken back, so no cut needs to be checked.
"""

SIMPLEST = {"i": "1", "l": "1::bigint", "s": "'a'", "b": "true", "x": "1.5::double"}


class Node:
    """Text and nodes in a row. Nodes may be shared: a grouping key is one node in both its places."""

    __slots__ = ("parts", "kind", "role", "separator", "minimum", "dropped", "replacement")

    def __init__(self, parts, kind=None, role="text", separator="", minimum=0):
        self.parts, self.kind, self.role = parts, kind, role
        self.separator, self.minimum = separator, minimum
        self.dropped, self.replacement = False, None

    def __str__(self):
        pieces = []
        self.write(pieces)
        return "".join(pieces)

    def write(self, pieces):
        if self.replacement is not None:
            write(self.replacement, pieces)
        elif not self.dropped:
            for number, part in enumerate(self.parts):
                if number and self.separator:
                    pieces.append(self.separator)
                write(part, pieces)


def write(part, pieces):
    if isinstance(part, Node):
        part.write(pieces)
    else:
        pieces.append(part)


def text(pattern, *parts, **how):
    """A node of the pattern with its `{}` filled."""
    pieces, filled = pattern.split("{}"), []
    assert len(pieces) == len(parts) + 1, (pattern, len(parts))
    for number, piece in enumerate(pieces):
        if piece:
            filled.append(piece)
        if number < len(parts):
            filled.append(parts[number])
    return Node(filled, **how)


def expression(kind, pattern, *parts):
    """A value of a kind; may give way to a part of the same kind or to the simplest value."""
    return text(pattern, *parts, kind=kind, role="expression")


def optional(pattern, *parts):
    """A clause that may go."""
    return text(pattern, *parts, role="optional")


def query(pattern, *parts):
    """A whole query; may give way to a query inside it."""
    return text(pattern, *parts, role="query")


def fixed(pattern, *parts):
    """What nothing may be cut from: it makes a result certain, as a total order does."""
    return text(pattern, *parts, role="fixed")


def items(parts, separator=", ", minimum=1):
    return Node(list(parts), role="list", separator=separator, minimum=minimum)


def inside(node, role):
    """Nodes of that role below the node, from the outside in."""
    for part in node.parts:
        if isinstance(part, Node):
            if part.role == role:
                yield part
            yield from inside(part, role)


def cuts(node):
    """Functions that each make a cut and give the function that takes it back."""
    if node.role == "fixed":
        return
    if node.replacement is not None:
        if isinstance(node.replacement, Node):
            yield from cuts(node.replacement)
        return
    if node.dropped:
        return

    def set_to(attribute, value):
        def cut():
            before = getattr(node, attribute)
            setattr(node, attribute, value)
            return lambda: setattr(node, attribute, before)
        return cut

    if node.role == "optional":
        yield set_to("dropped", True)
    if node.role == "query":
        for smaller in inside(node, "query"):
            yield set_to("replacement", smaller)
    if node.role == "list" and len(node.parts) > node.minimum:
        for number in range(len(node.parts)):
            yield set_to("parts", node.parts[:number] + node.parts[number + 1:])
    if node.role == "expression":
        for smaller in inside(node, "expression"):
            if smaller.kind == node.kind:
                yield set_to("replacement", smaller)
        if len(str(node)) > 12 and node.kind in SIMPLEST:
            yield set_to("replacement", SIMPLEST[node.kind])
    for part in node.parts:
        if isinstance(part, Node):
            yield from cuts(part)


def reduce(root, still_differs, attempts=400):
    """Cuts the tree down in place while `still_differs(text)` holds."""
    progress = True
    while progress and attempts > 0:
        progress = False
        seen = {str(root)}
        for cut in list(cuts(root)):
            undo = cut()
            now = str(root)
            if now in seen:
                undo()
                continue
            seen.add(now)
            attempts -= 1
            if still_differs(now):
                progress = True
                break
            undo()
            if attempts <= 0:
                break
