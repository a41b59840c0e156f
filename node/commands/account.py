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
    parser.add_argument("--role", required=True, choices=("steward", "merchant", "publisher"))
    parser.add_argument("--shop", metavar="HANDLE", help="whose shop, for a merchant")


def invite(asked: argparse.Namespace) -> None:
    """Grants the role; the link holds for an hour and the code for a quarter, either once."""
    from node import accounts, errors, keyring, shops
    from node.commands import folder
    from node.model import Role
    from node.store import database

    if (asked.role == "merchant") != (asked.shop is not None):
        raise errors.Invalid(
            "shop-and-role", "A merchant needs --shop HANDLE, and nobody else takes it."
        )
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
