"""Forms as people send them: bounded before they are read, photos kept on the disk meanwhile."""

import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from node import errors
from node.translation import Translator
from node.web import middleware

PLAIN_MOST = 128 * 1024  # bytes of a form without a photo
PHOTO_MOST = 24 * 1024 * 1024  # and of one with: a photo that is too heavy still gets its sentence
DRAINED_MOST = 80 * 1024 * 1024  # read and thrown away, so that the browser shows the answer
PARTS_MOST = 200
PART_MOST = 64 * 1024
PHOTO_TIME = 300.0  # seconds: twelve megabytes over a slow telephone line


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent. What is missing is empty."""

    data: FormData

    def line(self, name: str, most: int = 200) -> str:
        """One line, without blanks around it; longer than `most` is cut one beyond, to be seen."""
        value = self.data.get(name)
        return " ".join(value.split())[: most + 1] if isinstance(value, str) else ""

    def text(self, name: str, most: int = 5000) -> str:
        """Several lines."""
        value = self.data.get(name)
        if not isinstance(value, str):
            return ""
        return value.replace("\r\n", "\n").replace("\r", "\n").strip()[: most + 1]

    def is_set(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self.line(name))

    def photo(self, name: str) -> UploadFile | None:
        """A file, where one was chosen: a browser sends a nameless empty one otherwise."""
        value = self.data.get(name)
        if isinstance(value, UploadFile) and (value.filename or value.size):
            return value
        return None


@contextlib.asynccontextmanager
async def read(request: Request, *, photo: bool = False) -> AsyncIterator[Form]:
    """The form of a request. With `photo` a large one may come, slowly: for who is signed in only.

    Raises HTTPException: 400 malformed, 408 too slow, 413 too large, 415 no form.
    """
    most = PHOTO_MOST if photo else PLAIN_MOST
    if photo:
        middleware.more_time(request.scope, PHOTO_TIME)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            parser = MultiPartParser(
                request.headers,
                _bounded(request, most),
                max_files=1 if photo else 0,
                max_fields=PARTS_MOST,
                max_part_size=PART_MOST,
            )
            data = await parser.parse()
        elif kind in ("application/x-www-form-urlencoded", ""):
            data = await FormParser(request.headers, _bounded(request, PLAIN_MOST)).parse()
        else:
            raise HTTPException(415)
    except MultiPartException:
        raise HTTPException(400) from None
    except ClientDisconnect:
        raise HTTPException(408) from None
    try:
        yield Form(data)
    finally:
        await data.close()


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes; HTTPException 413 once it is over, so that the answer is seen."""
    size = 0
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:15]) > DRAINED_MOST:
        raise HTTPException(413)
    async for chunk in request.stream():
        size += len(chunk)
        if size > DRAINED_MOST:
            break
        if size <= most:
            yield chunk
    if size > most:
        raise HTTPException(413)


def new_id() -> str:
    """A name for one showing of a form: sent twice, it is acted upon once."""
    return secrets.token_urlsafe(12)


def sentences(error: errors.NodeError, say: Translator) -> dict[str, str]:
    """An error as sentences by field, for the summary on top of a form; "" is for none."""
    fields = error.fields if isinstance(error, errors.Invalid) else {}
    known: Mapping[str, tuple[str, str]] = {
        "bad-email": ("email", say("This is no e-mail address such as claire@example.fr")),
        "above-oneself": (
            "email",
            say("This person works at the desk: only a steward lets them in"),
        ),
        "handle-taken": ("handle", say("This short name is taken, or was: choose another one")),
        "photo-heic": (
            "photo",
            say(
                "Your telephone sent a HEIC photo, which browsers cannot show. Choose JPEG "
                "(“most compatible”) in its camera settings, or take the photo from here."
            ),
        ),
        "photo-not-a-photo": ("photo", say("This is not a photo: JPEG, PNG or WebP is needed")),
        "photo-damaged": ("photo", say("The photo is damaged, or did not arrive whole")),
        "photo-too-many-pixels": ("photo", say("The photo has more than 40 million pixels")),
        "photo-too-heavy": ("photo", say("The photo is larger than 15 MB")),
        "photo-empty": ("photo", say("The photo is empty")),
        "photo-gone": ("photo", say("The photo is no longer kept: choose it again")),
        "photo-swept": ("photo", say("The photo is no longer kept: choose it again")),
        "photos-busy": ("photo", say("Many photos arrive just now: send it again in a minute")),
        "too-many-photos": ("photo", say("That is a lot of photos at once: wait a minute")),
        "photos-full": ("photo", say("The shop holds too many photos: withdraw a product first")),
        "shop-suspended": ("", say("The shop is suspended: nothing can be published for now")),
        "no-node-there": ("url", say("No Échoppe site answers at this address")),
        "other-software": ("url", say("This is not an Échoppe site: it cannot be a neighbour")),
        "own-address": ("url", say("This is the address of this very site")),
        "blocked": ("url", say("This site is blocked: lift that first")),
        "bad-url": ("url", say("This is no address such as https://shops.example.fr")),
        "bad-authority": ("url", say("This is no address such as https://shops.example.fr")),
    }
    if error.code in known:
        name, sentence = known[error.code]
        return {name: sentence}
    by_field = {
        "name": say("The name must be 1 to 100 readable characters"),
        "description": say("The description is too long, or holds unreadable characters"),
        "alt": say("The description of the photo is too long, or holds unreadable characters"),
        "handle": say("The short name is made of a to z, 0 to 9 and _ inside: fleurs_de_lys"),
        "phone": say("This is no telephone number"),
        "address": say("The address is too long, or holds unreadable characters"),
        "summary": say("The sentence is too long, or holds unreadable characters"),
        "stock": say("How many there are must be a whole number"),
        "unit": say("A quantity and its unit go together"),
        "category": say("There is no such shelf"),
        "hours": say("The hours could not be read"),
    }
    found = {name: by_field[name] for name in fields if name in by_field}
    return found or {"": say("This could not be saved. Please check what was typed.")}
