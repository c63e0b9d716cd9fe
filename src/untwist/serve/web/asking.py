"""Who asks for a page, and what every form of a page brings."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form

from untwist.safety import help_block
from untwist.serve.auth import must_bring
from untwist.serve.errors import ServeError
from untwist.serve.web.render import Visitor, visitor

Who = Annotated[Visitor, Depends(visitor)]
Word = Annotated[str, Form(max_length=200)]


def checked(who: Visitor, csrf: str) -> str:
    """The person who sends a form.

    Raises:
        ServeError: 401 without a person, 403 for a form that is not of our pages.
    """
    must_bring(who.caller, csrf)
    if who.person is None:
        raise ServeError(401, "this page belongs to somebody: begin on the first page")
    return who.person


def mine(who: Visitor) -> str:
    """The person who looks at something of theirs.

    Raises:
        ServeError: 404 without a person.
    """
    if who.person is None:
        raise ServeError(404, "there is nothing here")
    return who.person


def help_for(who: Visitor) -> str:
    """Where help is, in the language of the page."""
    return help_block(who.locale, who.region)
