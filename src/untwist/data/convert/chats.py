"""Rows that hold a conversation as a list: ShareGPT, and the `messages` of chat APIs.

Source: LLaMA-Factory's data formats; the person stands at odd places and the assistant at even
    ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from untwist.data.convert.exchanges import BESIDE, Exchange, Said, dialogue_of
from untwist.data.jsonlines import Record
from untwist.errors import DataError
from untwist.schema import Dialogue, Json

_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}


@dataclass(frozen=True, slots=True)
class Chat:
    """How one format spells a conversation.

    Attributes:
        turns: key of the list.
        role: key of the speaker.
        content: key of the words.
        user: the person.
        assistant: the program.
    """

    turns: str
    role: str
    content: str
    user: str
    assistant: str

    def write(self, exchange: Exchange) -> Json:
        """One exchange as a row."""
        turns: list[Json] = []
        for asking, answering in (*exchange.history, (exchange.whole, exchange.answer)):
            turns.append({self.role: self.user, self.content: asking})
            turns.append({self.role: self.assistant, self.content: answering})
        return {self.turns: turns, BESIDE: exchange.beside}

    def read(self, record: Record) -> Dialogue:
        """The dialogue of one row, ours or another's.

        Raises:
            DataError: the row is of another format, or has a system text or a speaker other than
                the two.
        """
        turns = record.data.get(self.turns)
        if record.data.get("system"):
            raise DataError('a "system" text has no place in a dialogue: take it out')
        if not isinstance(turns, list) or not turns:
            raise DataError(f'"{self.turns}" is missing, empty or no list')
        return dialogue_of([self._said(turn, place) for place, turn in enumerate(turns, 1)], record)

    def _said(self, turn: object, place: int) -> Said:
        if not isinstance(turn, dict):
            raise DataError(f"turn {place} is {type(turn).__name__}, not an object")
        speaker, words = turn.get(self.role), turn.get(self.content)
        if not isinstance(speaker, str) or speaker not in _ROLES:
            raise DataError(f'turn {place}: "{self.role}" is neither person nor assistant')
        if not isinstance(words, str):
            raise DataError(f'turn {place}: "{self.content}" is missing or no string')
        return Said(_ROLES[speaker], words)


SHAREGPT = Chat("conversations", "from", "value", "human", "gpt")
MESSAGES = Chat("messages", "role", "content", "user", "assistant")
