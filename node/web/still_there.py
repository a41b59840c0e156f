"""`/encore-en-rayon/{token}`: the one tap of the weekly mail. Opening it changes nothing."""

from starlette.requests import Request
from starlette.responses import Response

from node import errors, reminders
from node.store import listings
from node.web import forms, render, sessions, state


async def page(request: Request) -> Response:
    """Asks, and confirms all that is not sold out."""
    site = state.of(request)
    token = request.path_params["token"]
    try:
        shop = await site.database.read(reminders.shop_of, site.ring, token, site.clock())
        if request.method == "POST":
            if not sessions.is_own_form(request):
                return await render.error(request, 403)
            async with forms.read(request):
                pass
            await site.database.write(reminders.confirm, site.ring, token, site.clock())
            return sessions.see_other(request, f"/encore-en-rayon/{token}?fait=confirme")
    except errors.NotFound:
        return await render.error(request, 404)
    return render.page(
        request,
        "merchant/still_there.html",
        private=True,
        shop=shop,
        token=token,
        count=await site.database.read(listings.count_of_shop, shop.id),
        done=request.query_params.get("fait") == "confirme",
    )
