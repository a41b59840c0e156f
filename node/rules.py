"""The rules of the site (`templates/law/rules.html`), by the day from which they are as they are.

Whoever looks after a shop agrees to a version. A test holds the text to its version: who changes
the rules gives them a new day, and merchants are asked anew.
"""

from datetime import date

VERSION = date(2026, 11, 26)
# SHA-256 of the page's template, as of that day.
TEXT = "36b6141fda6d284d61b774e11f24dfd5ede7d737a2dc1bd0ad08b22fe81d1070"
