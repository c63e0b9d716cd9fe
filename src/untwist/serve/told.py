"""Errors as somebody who wrote something is told them: never without where help is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from untwist.errors import SafetyError, StoreError, UntwistError
from untwist.schema import Utterance
from untwist.serve.errors import ServeError, status_of
from untwist.serve.events import said_before
from untwist.serve.floor import Floor
from untwist.serve.settings import ServeSettings
from untwist.serve.speaking import Speaker, placed
from untwist.serve.store import StoredTurn
from untwist.text import language

FAILED = "no reply could be made"


@dataclass
class Told:
    """Makes errors with help in them.

    Attributes:
        speaker: whose threads and whose engine without a language model are used.
        settings: of the server.
    """

    speaker: Speaker
    settings: ServeSettings
    _floors: dict[str, Floor] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._floors[""] = Floor(self.speaker.plain, self.settings.region)

    def floor(self, region: str = "") -> Floor:
        """What speaks for somebody in a region; "" is the server's."""
        if region == self.settings.region:
            region = ""
        if region not in self._floors:
            self._floors[region] = Floor(placed(self.speaker.plain, region), region)
        return self._floors[region]

    def message(self, text: str, region: str = "") -> Utterance:
        """A text as a message.

        Raises:
            ServeError: it is too long; with where help is.
            DataError: it cannot be read.
        """
        if len(text) > self.settings.limits.message:
            raise ServeError(
                413,
                f"a message has at most {self.settings.limits.message} characters here",
                self.floor(region).help(Utterance(text[:2000].strip() or "?")),
            )
        readable = _readable(text)
        return Utterance(readable, language(readable))

    async def unkept(
        self,
        error: UntwistError,
        message: Utterance,
        before: Sequence[StoredTurn],
        history: Sequence[Utterance] = (),
        region: str = "",
    ) -> ServeError:
        """An error, with the crisis reply where one is due: it needs no store."""
        if isinstance(error, StoreError) and error.reason == "gone":
            return ServeError(404, str(error), self.floor(region).help(message))
        if isinstance(error, SafetyError):
            # its own words end with a help block, which stands in a field of its own here
            return await self.refused(503, FAILED, message, before, history, region)
        return await self.refused(status_of(error), str(error), message, before, history, region)

    async def refused(
        self,
        status: int,
        why: str,
        message: Utterance,
        before: Sequence[StoredTurn] = (),
        history: Sequence[Utterance] = (),
        region: str = "",
    ) -> ServeError:
        """A refusal, with the crisis reply where one is due."""
        said, earlier = said_before(before) if before else (history, [])
        speaks = self.floor(region)
        words = await self.speaker.in_thread(speaks.said, message, said, earlier)
        return ServeError(status, why, words)

    async def failed(self, error: Exception, text: str) -> ServeError:
        """Any error on the way of a text."""
        if isinstance(error, ServeError) and error.help is not None:
            return error
        readable = _readable(text)[: self.settings.limits.message].strip() or "?"
        message = Utterance(readable, language(readable))
        if isinstance(error, ServeError):
            return ServeError(error.status, str(error), self.floor().help(message))
        if isinstance(error, UntwistError):
            return await self.unkept(error, message, [])
        return await self.refused(500, FAILED, message)


def _readable(text: str) -> str:
    """A text without half characters and without what databases cannot hold."""
    return text.encode("utf-8", "ignore").decode("utf-8").replace("\x00", "")
