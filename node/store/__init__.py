"""All SQL of the node. Functions take a connection first and give `model` dataclasses back.

The verbs: `get` (one, or None), `find` (many), `add`, `change`, `remove`.
"""
