"""What was decided, in words: the statement of reasons (Regulation (EU) 2022/2065, article 17)."""

import contextlib
import dataclasses
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from node import errors, mail, notices
from node.store.notices import Decision
from node.translation import Translator
from node.web import shown, state

TITLE_MOST = 120


@dataclass(frozen=True, slots=True)
class Statement:
    """A decision as a page or a mail says it: pairs of what and how, in their order."""

    decision: Decision
    title: str
    rows: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """All of it, for a mail."""
        return "\n\n".join(f"{name}\n{words}" for name, words in self.rows)


def target(db: sqlite3.Connection, site: state.Site, about: str) -> notices.Target | None:
    """What an address means, with a title that is fit to be shown: it may be a stranger's."""
    found = notices.find_target(db, site.uris, about)
    if found is None:
        return None
    return dataclasses.replace(found, title=shown.line(found.title, TITLE_MOST))


def reasons(say: Translator) -> tuple[tuple[str, str], ...]:
    """Why something is reported, as the form asks: value and label."""
    labels = {
        "unlawful": say("It may not be offered at all"),
        "safety": say("It is dangerous, or was recalled"),
        "price": say("Its price or its reduction is wrong"),
        "deceit": say("It is not what it says, or the shop is not who it says"),
        "rights": say("It is a counterfeit, or a photo or text taken from somebody else"),
        "person": say("It shows or insults a person"),
        "child": say("It shows sexual abuse of a child"),
        "rules": say("It breaks the rules of this site"),
        "other": say("Something else"),
    }
    return tuple((one, labels[one]) for one in notices.REASONS)


def reason(say: Translator, value: str) -> str:
    """One of them."""
    return dict(reasons(say)).get(value, value)


def act(say: Translator, value: str) -> str:
    """What a steward can do, in a word or two."""
    return {
        "none": say("Leave it as it is"),
        "correct": say("Ask the shop to correct it"),
        "hide": say("Hide it"),
        "withdraw": say("Withdraw it for good"),
        "suspend": say("Suspend the shop"),
        "lift": say("Show it again"),
        "page": say("A form of this page was sent"),
        "appeal-kept": say("Keep a decision after an appeal"),
        "appeal-changed": say("Change a decision after an appeal"),
        "approve": say("Open a shop"),
        "correction": say("Send a request back"),
        "refuse": say("Not open a shop"),
    }.get(value, value)


def day(moment: datetime) -> str:
    """A day as it is written here."""
    return f"{moment:%d/%m/%Y}"


def statement(site: state.Site, say: Translator, one: Decision) -> Statement:
    """A decision in full."""
    own = one.target.startswith(f"{site.uris.origin}/")
    host = urlsplit(one.target).netloc
    done = {
        "none": say("Nothing is changed: it stays as it is."),
        "correct": say("The shop is asked to correct it by {date}.").format(
            date=day(one.until or one.at)
        ),
        "hide": say("It is no longer shown."),
        "withdraw": say("It is withdrawn."),
        "suspend": say("The shop is suspended: neither its page nor its products are shown."),
    }[one.act]
    if one.forwarded:
        done += " " + say("The site it comes from, {host}, was told of the report.").format(
            host=host
        )
    rows = [(say("Decision of {date}").format(date=day(one.at)), done)]
    if one.act in ("hide", "withdraw", "suspend"):
        rows.append(
            (
                say("Where"),
                say("On this site, and on the sites of other communes that show its shops.")
                if own
                else say("On this site only. {host} decides what it shows itself.").format(
                    host=host
                ),
            )
        )
        rows.append(
            (
                say("How long"),
                say("It was ended on {date}.").format(date=day(one.lifted))
                if one.lifted
                else say("For good.")
                if one.act == "withdraw"
                else say("Until the site ends it."),
            )
        )
    rows.append((say("Facts"), one.facts))
    if one.basis:
        rows.append(
            (
                say("Law it rests on") if one.ground == "law" else say("Rule it rests on"),
                one.basis,
            )
        )
    rows.append(
        (
            say("How it came to this"),
            (say("It was reported.") if one.noticed else say("The site looked into it itself."))
            + " "
            + say("A person found it and decided; no automated means were used."),
        )
    )
    rows.append((say("If you do not agree"), redress(site, say, one)))
    return Statement(one, one.title, tuple(rows))


def redress(site: state.Site, say: Translator, one: Decision) -> str:
    """What can be done against a decision (article 17(3)(f))."""
    court = (
        say("the judicial court")
        if site.settings.node.operator == "association"
        else say("the administrative court, within two months")
    )
    return say(
        "Say so on the site, beside the decision, until {date}: a person reads the case anew. You "
        "can also turn to a dispute settlement body certified by Arcom, or to {court}."
    ).format(date=day(one.at + notices.APPEAL_WITHIN), court=court)


def send(
    db: sqlite3.Connection, site: state.Site, email: str, subject: str, text: str, now: datetime
) -> None:
    """A mail, where this node sends any. A full queue holds no decision up: pages say it all."""
    if email and site.settings.mail.host:
        line = "".join(one for one in " ".join(subject.split()) if one.isprintable())
        with contextlib.suppress(errors.TooMany):
            mail.queue(db, email, line[: mail.SUBJECT_MOST], text, now)
