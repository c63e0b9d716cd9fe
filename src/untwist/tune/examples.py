"""Samples: what a model reads, what it should answer, and which stream of the loss that belongs to.

One sample is one line of JSON with the columns `COLUMNS`, all of them and no other. The stream and
whether a sample was made by the policy are columns; neither is ever looked for in the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from untwist.data.convert.files import created, line_of
from untwist.data.jsonlines import Record, read_each
from untwist.errors import DataError
from untwist.schema import Json
from untwist.text import require_text

Stream = Literal["diagnosis", "intervention", "plain"]
"""Which part of the loss a target belongs to: labels, replies, or the only one there is."""

STREAMS: tuple[Stream, ...] = get_args(Stream)
"""All streams; their places are the numbers that batches carry."""

Speaker = Literal["system", "user", "assistant"]
_SPEAKERS: tuple[str, ...] = get_args(Speaker)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt, named as chat templates name it.

    Attributes:
        role: "system", "user" or "assistant".
        content: the words; never empty.

    Raises:
        DataError: the role is unknown or the words cannot be read.
    """

    role: Speaker
    content: str

    def __post_init__(self) -> None:
        if self.role not in _SPEAKERS:
            raise DataError(f'role is "{self.role}": give one of {", ".join(_SPEAKERS)}')
        require_text(self.content, "content")

    def to_dict(self) -> dict[str, str]:
        """As JSON values, and as chat templates take it."""
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Sample:
    """A prompt and the target that is learned.

    Attributes:
        id: unique within its file.
        stream: which part of the loss the target belongs to.
        messages: the prompt: at most one system message, first; then user and assistant in turn;
            the last is the user's.
        target: what the model should answer, without any mark of the template.
        augmented: whether the strategy of the target was chosen by the policy and not found in
            a corpus (what the ablation "no augmented data" leaves out).

    Raises:
        DataError: the messages are in no such order, or the target is empty.
    """

    id: str
    stream: Stream
    messages: tuple[Message, ...]
    target: str
    augmented: bool = False

    def __post_init__(self) -> None:
        require_text(self.id, "id")
        if self.stream not in STREAMS:
            raise DataError(f'stream is "{self.stream}": give one of {", ".join(STREAMS)}')
        require_text(self.target, "target")
        _require_turns(self.messages)

    @property
    def system(self) -> Message | None:
        """The system message, where there is one."""
        return self.messages[0] if self.messages[0].role == "system" else None

    @property
    def turns(self) -> tuple[Message, ...]:
        """The messages of user and assistant."""
        return self.messages[1:] if self.system else self.messages

    def to_dict(self) -> Json:
        """As JSON values: the columns of a line."""
        return {**asdict(self), "messages": [message.to_dict() for message in self.messages]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Sample:
        """From JSON values.

        Raises:
            DataError: a column is missing, unknown or of the wrong kind.
        """
        unknown, missing = sorted(set(data) - set(COLUMNS)), sorted(set(COLUMNS) - set(data))
        if unknown or missing:
            raise DataError(
                f"columns missing: {', '.join(missing) or 'none'}; "
                f"unknown: {', '.join(unknown) or 'none'}; give {', '.join(COLUMNS)}"
            )
        for column, kind in _KINDS.items():
            if not isinstance(data[column], kind):
                raise DataError(f"{column} is {type(data[column]).__name__}, not {kind.__name__}")
        messages = tuple(_message(given) for given in data["messages"])
        stream = cast("Stream", data["stream"])
        return cls(data["id"], stream, messages, data["target"], data["augmented"])


COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Sample))
"""The columns of a line."""

_KINDS = {"id": str, "stream": str, "messages": list, "target": str, "augmented": bool}


def read_samples(path: Path | str) -> Iterator[Sample]:
    """The samples of a file of JSON Lines, in order.

    Args:
        path: the file; "-" is standard input.

    Raises:
        DataError: the file cannot be read, or a line is no sample or has an id that another has;
            the message holds file and line and never the text.
    """
    seen: Counter[str] = Counter()

    def build(record: Record) -> Sample:
        sample = Sample.from_dict(record.data)
        seen[sample.id] += 1
        if seen[sample.id] > 1:
            raise DataError("the id is that of an earlier line: give every sample its own")
        return sample

    yield from read_each(path, build, "sample")


def write_samples(path: Path, samples: Iterable[Sample]) -> int:
    """Write samples as JSON Lines into a new file; how many there were.

    Raises:
        DataError: the file is there already, or cannot be written.
    """
    count = 0
    with created(path) as file:
        for sample in samples:
            file.write(line_of(sample.to_dict()))
            count += 1
    return count


def _message(data: object) -> Message:
    if not isinstance(data, dict) or set(data) != {"role", "content"}:
        raise DataError("a message is no object with role and content, and nothing else")
    return Message(data["role"], data["content"])


def _require_turns(messages: tuple[Message, ...]) -> None:
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    if not turns or turns[-1].role != "user":
        raise DataError("the last message is not the user's: the target is what follows it")
    expected = ("user", "assistant")
    start = expected.index(turns[0].role) if turns[0].role in expected else 0
    for place, turn in enumerate(turns):
        if turn.role != expected[(start + place) % 2]:
            raise DataError(
                f"message {place + 1} is the {turn.role}'s out of turn: "
                "one system message at most, first, then user and assistant in turn"
            )
