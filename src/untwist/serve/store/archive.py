"""All that belongs to one person as one JSON value, and back, without loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from untwist.errors import DataError
from untwist.schema import Json, Turn
from untwist.serve.store import conversations as talk
from untwist.serve.store import people, records
from untwist.serve.store.codec import Codec
from untwist.serve.store.ids import new_id
from untwist.serve.store.tables import changes, conversations, turns
from untwist.serve.store.tables import records as record_table

FORMAT = "untwist-archive@1"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back from an archive.

    Attributes:
        conversations: how many were restored.
        records: how many were restored.
        known: how many of both were here already and were left as they are.
    """

    conversations: int
    records: int
    known: int


def export(connection: Connection, codec: Codec, person: str) -> Json:
    """Everything that is kept of a person, in one transaction."""
    who = people.get(connection, codec, person)
    return {
        "format": FORMAT,
        "settings": who.settings,
        "conversations": [
            {
                "id": one.id,
                "created": one.created,
                "updated": one.updated,
                "about": one.about,
                "turns": [
                    _without(asdict(turn), "conversation")
                    for turn in talk.turns_of(connection, codec, one.id)
                ],
            }
            for one in talk.of_person(connection, codec, person, None, 1_000_000)
        ],
        "records": [
            {
                **_without(asdict(one), "person"),
                "changes": records.history(connection, codec, person, one.id),
            }
            for one in records.of_person(connection, codec, person)
        ],
    }


def restore(connection: Connection, codec: Codec, person: str, archive: Json) -> Restored:
    """Put an archive's content under a person; what is there stays as it is.

    Raises:
        DataError: it is no archive, or an entry is not what the format says; nothing is restored.
    """
    if archive.get("format") != FORMAT:
        raise DataError(f"this is no {FORMAT} file")
    try:
        people.change(connection, codec, person, dict(archive["settings"]))
        talks = [_talk(connection, codec, person, one) for one in archive["conversations"]]
        names = {old: new for old, new, _ in talks}
        kept = [_record(connection, codec, person, one, names) for one in archive["records"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # what the error says may repeat what was written
        raise DataError(f"the archive is damaged ({type(error).__name__})") from None
    fresh = sum(new for _, _, new in talks)
    return Restored(fresh, sum(kept), len(talks) - fresh + len(kept) - sum(kept))


def _talk(
    connection: Connection, codec: Codec, person: str, one: Mapping[str, Any]
) -> tuple[str, str, bool]:
    """The name in the archive, the name here, and whether it was restored."""
    name, mine = _free(connection, conversations, person, _name(one["id"]))
    if mine:
        return one["id"], name, False
    rows = sorted(one["turns"], key=lambda turn: int(turn["seq"]))
    connection.execute(
        insert(conversations).values(
            id=name,
            person=person,
            created=float(one["created"]),
            updated=float(one["updated"]),
            turns=len(rows),
            body=codec.encode(dict(one["about"]), f"conversations:{name}"),
        )
    )
    for seq, row in enumerate(rows):
        _turn(connection, codec, name, seq, row)
    return one["id"], name, True


def _turn(
    connection: Connection, codec: Codec, conversation: str, seq: int, row: Mapping[str, Any]
) -> None:
    name, _ = _free(connection, turns, None, _name(row["id"]))
    reply = row["turn"]
    if reply is not None:
        Turn.from_dict(reply)
    finished = row["finished"]
    connection.execute(
        insert(turns).values(
            id=name,
            conversation=conversation,
            seq=seq,
            created=float(row["created"]),
            finished=None if finished is None else float(finished),
            body=codec.encode(dict(row["said"]), f"turns:{name}:body"),
            reply=None if reply is None else codec.encode(reply, f"turns:{name}:reply"),
        )
    )


def _record(
    connection: Connection,
    codec: Codec,
    person: str,
    one: Mapping[str, Any],
    names: Mapping[str, str],
) -> bool:
    """Whether it was restored."""
    name, mine = _free(connection, record_table, person, _name(one["id"]))
    if mine:
        return False
    talk_of = one["conversation"]
    connection.execute(
        insert(record_table).values(
            id=name,
            person=person,
            kind=str(one["kind"])[:32],
            conversation=None if talk_of is None else names.get(talk_of),
            version=int(one["version"]),
            created=float(one["created"]),
            updated=float(one["updated"]),
            body=codec.encode(dict(one["body"]), f"records:{name}"),
        )
    )
    for row in one["changes"]:
        version = int(row["version"])
        connection.execute(
            insert(changes).values(
                record=name,
                version=version,
                at=float(row["at"]),
                actor=str(row["actor"])[:16],
                body=codec.encode(dict(row["body"]), f"changes:{name}:{version}"),
            )
        )
    return True


def _free(
    connection: Connection,
    table: Any,  # noqa: ANN401
    person: str | None,
    name: str,
) -> tuple[str, bool]:
    """A name that can be used here, and whether the person has it already."""
    row = connection.execute(select(table).where(table.c.id == name)).first()
    if row is None:
        return name, False
    if person is not None and row.person == person:
        return name, True
    return new_id(), False


def _name(value: object) -> str:
    if not isinstance(value, str) or not 16 <= len(value) <= 32:
        raise ValueError("no name")
    return value


def _without(value: Json, key: str) -> Json:
    return {name: one for name, one in value.items() if name != key}
