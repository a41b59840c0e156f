"""`echoppe account`: who may sign in."""

import argparse

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "account", help="let people sign in")
    parser = output.command(
        actions,
        "invite",
        invite,
        help="grant a role and print a one-time sign-in link and code",
        example="echoppe account invite claire@example.fr --role merchant --shop fleurs",
    )
    parser.add_argument("email")
    parser.add_argument(
        "--role",
        required=True,
        choices=("steward", "association", "agent", "auditor", "merchant", "publisher"),
    )
    parser.add_argument("--shop", metavar="HANDLE", help="whose shop, for a merchant")
    parser.add_argument("--name", help="how a publisher is shown beside what it writes")
    parser.add_argument(
        "--badge", choices=("town_hall", "media", "association"), help="and what it is"
    )

    parser = output.command(
        actions,
        "reset-factor",
        reset_factor,
        help="take the second factor from somebody who has lost it; all sessions of theirs end",
        example="echoppe account reset-factor nadia@example.fr",
    )
    parser.add_argument("email", help="or the account's id")


def reset_factor(asked: argparse.Namespace) -> None:
    """Whoever asks for this by telephone must be known: the command cannot tell."""
    from node import errors
    from node.commands import folder
    from node.store import accounts, database, second_factors

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        account = accounts.get_by_email(db, asked.email.strip().lower()) or accounts.get(
            db, asked.email
        )
        if account is None:
            raise errors.NotFound("unknown-account", f"Nobody is known as {asked.email!r}.")
        taken = second_factors.remove(db, account.id)
        accounts.remove_sessions(db, account.id)
    output.say(
        asked,
        {"account": account.id, "email": account.email, "removed": taken},
        f"{account.email or account.id} signs in without a second factor now, and anew."
        if taken
        else f"{account.email or account.id} had no second factor; their sessions have ended.",
    )


def invite(asked: argparse.Namespace) -> None:
    """Grants the role; the link holds for an hour and the code for a quarter, either once."""
    from node import accounts, errors, keyring, news, shops
    from node.commands import folder
    from node.model import Role
    from node.store import database, posts

    if (asked.role == "merchant") != (asked.shop is not None):
        raise errors.Invalid(
            "shop-and-role", "A merchant needs --shop HANDLE, and nobody else takes it."
        )
    if (asked.name or asked.badge) and asked.role != "publisher":
        raise errors.Invalid("name-and-role", "Only a publisher takes --name and --badge.")
    here = folder.open_folder(asked)
    token, code = folder.new_token(), folder.new_code()
    ring = keyring.load(here.path)
    with database.transaction(here.path) as db:
        shop = shops.get_open(db, asked.shop) if asked.shop else None
        account = accounts.invite(
            db,
            asked.email,
            Role(asked.role),
            shop=shop.id if shop else None,
            territory=None if shop else here.settings.node.communes[0],
            account_id=folder.new_id(),
            token=token,
            now=here.now,
        )
        if asked.role == "publisher":
            known = news.voice(db, account.id, here.settings.node.name)
            byline = news.byline(asked.name or known.name, asked.badge or known.badge)
            posts.put_byline(db, account.id, byline)
        accounts.let_in(db, account, token, code, ring, here.now)
    link = f"{here.uris.origin}/connexion/{token}"
    output.say(
        asked,
        {
            "account": account.id,
            "email": account.email,
            "role": asked.role,
            "link": link,
            "code": code,
        },
        f"{account.email} may sign in as {asked.role}, once, within an hour:",
        f"  {link}",
        f"or within a quarter of an hour at {here.uris.origin}/connexion with the code {code}",
    )
