"""`/preuve`: what this site asks of nobody and leaves with nobody, and how anybody checks it."""

from starlette.requests import Request
from starlette.responses import Response

from node.store import proofs
from node.web import middleware, render, state


async def page(request: Request) -> Response:
    """The last published proof, the policy in force, and the steps to repeat it."""
    site = state.of(request)
    return render.page(
        request,
        "proof.html",
        proof=await site.database.read(proofs.get),
        origin=site.uris.origin,
        policy=middleware.CONTENT_SECURITY_POLICY,
        policy_with_script=middleware.WITH_SCRIPT["Content-Security-Policy"],
    )
