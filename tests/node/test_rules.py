"""The rules of the site: a version for each text, and who agreed to which."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

from node import rules
from node.model import Account
from node.store import accounts
from node.store import rules as consents
from tests import ground
from tests.ground import NOW
from tests.neighbours import ROOT

ACCOUNT = "11111111-1111-4111-8111-111111111111"


def test_a_new_text_has_a_new_day() -> None:
    """Who changes the rules changes VERSION and TEXT with them: merchants are asked anew."""
    text = (ROOT / "templates" / "law" / "rules.html").read_bytes()
    assert hashlib.sha256(text).hexdigest() == rules.TEXT


def test_who_agreed_to_what(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        accounts.add(db, Account(ACCOUNT, "claire@example.fr", NOW))
        old, new = date(2026, 1, 1), date(2026, 11, 26)
        assert consents.agreed(db, ACCOUNT, new) is None
        assert not consents.has_agreed_before(db, ACCOUNT, new)
        consents.agree(db, ACCOUNT, old, NOW)
        consents.agree(db, ACCOUNT, old, NOW + timedelta(days=1))  # a second tap
        assert consents.agreed(db, ACCOUNT, old) == NOW
        assert consents.agreed(db, ACCOUNT, new) is None
        assert consents.has_agreed_before(db, ACCOUNT, new)
