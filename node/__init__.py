"""The shop node: everything that knows of shops, listings and the people around them."""

__version__ = "0.1.0"
