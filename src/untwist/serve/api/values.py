"""What the REST API takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from untwist.safety import region_codes
from untwist.serve.store import Conversation, StoredTurn


def whole(value: Any) -> Any:  # noqa: ANN401
    """A text without half characters, as a field that cut a picture in two sends them."""
    return value.encode("utf-8", "ignore").decode("utf-8") if isinstance(value, str) else value


def with_lines(region: str) -> str:
    """A region whose help lines are known; another would leave the pages without any."""
    if region not in region_codes():
        raise ValueError("no known region")
    return region


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,32}$")]
Text = Annotated[str, BeforeValidator(whole), StringConstraints(min_length=1, max_length=100_000)]
Short = Annotated[str, StringConstraints(max_length=200)]
LocaleName = Literal["en", "zh", "zh-Hant"]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(with_lines)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class Given(BaseModel):
    """What a client sends; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class NewPerson(Given):
    """Somebody new."""

    locale: LocaleName | None = None
    region: Region | None = None
    minor: bool | None = None


class Made(BaseModel):
    """Somebody new, with the key to their things, which is shown once."""

    id: str
    key: str


class NewSession(Given):
    """A new conversation."""

    title: Short = ""


class Session(BaseModel):
    """A conversation; times are seconds since 1970, UTC."""

    id: str
    title: str
    created: float
    updated: float
    turns: int


class Message(Given):
    """What a person says."""

    text: Text


class Search(Given):
    """Words to look for, in any case."""

    words: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class TurnView(BaseModel):
    """One message, what was decided about safety, and the reply once it is there."""

    id: str
    session: str
    seq: int
    created: float
    finished: float | None
    message: dict[str, Any]
    decision: dict[str, Any]
    turn: dict[str, Any] | None


class SessionView(Session):
    """A conversation with its turns."""

    log: list[TurnView]


class SessionList(BaseModel):
    """Conversations, the latest first; `before` of the next page is the last one's `updated`."""

    sessions: list[Session]


class Error(BaseModel):
    """What went wrong."""

    code: str
    message: str
    help: str | None = Field(None, description="Where help is, when a message got no reply.")


class Failure(BaseModel):
    """The one shape of every error."""

    error: Error


def session(found: Conversation) -> Session:
    """A conversation as it is sent."""
    return Session(
        id=found.id,
        title=str(found.about.get("title", "")),
        created=found.created,
        updated=found.updated,
        turns=found.turns,
    )


def turn(found: StoredTurn) -> TurnView:
    """A turn as it is sent."""
    return TurnView(
        id=found.id,
        session=found.conversation,
        seq=found.seq,
        created=found.created,
        finished=found.finished,
        message=found.said["message"],
        decision=found.said["decision"],
        turn=found.turn,
    )


FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure}
    for status in (400, 401, 403, 404, 405, 408, 409, 413, 422, 500, 503, 507)
}
