"""The rules of the site (`templates/law/rules.html`), by the day from which they are as they are.

Whoever looks after a shop agrees to a version. A test holds the text to its version: who changes
the rules gives them a new day, and merchants are asked anew.
"""

from datetime import date

VERSION = date(2026, 11, 26)
# SHA-256 of the page's template, as of that day.
TEXT = "eae2357b0275673023d6be47d0eb3d70a71247b22d71a8cb7a17e1dbaea33109"
