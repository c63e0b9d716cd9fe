import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.convert_values import conversations, message, only, singles, talk
from tests.tiny_corpora import write_lines
from untwist.data import Refusals
from untwist.data.convert import FORMATS, read, write
from untwist.data.convert.wording import answer, parse_answer
from untwist.errors import ConfigError, DataError
from untwist.schema import Labels
from untwist.taxonomy import CANONICAL, LANGS, Distortion

D = Distortion
TUNING = ("alpaca", "sharegpt", "messages")
few = settings(max_examples=20, deadline=None)


def rows_of(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def annotated(dialogue):
    return dialogue.labels[0] is not None and dialogue.labels[0].distortions is not None


@pytest.mark.parametrize("format", TUNING)
@few
@given(dialogues=st.lists(singles(), min_size=1, max_size=4))
def test_every_annotated_message_comes_back_from_its_question(tmp_path_factory, format, dialogues):
    dialogues = only(*dialogues)
    known = [d for d in dialogues if annotated(d)]
    out = tmp_path_factory.mktemp("out")
    if not known:
        with pytest.raises(DataError, match=r"nothing to write: .* without labels"):
            write(dialogues, out, format, name="x", lang="en")
        return
    written = write(dialogues, out, format, name="x", lang="en")
    assert list(read(written.files[0], format)) == known
    assert (written.rows, sum(written.left_out.values())) == (
        len(known),
        len(dialogues) - len(known),
    )


def answered(dialogue):
    roles = [u.role for u in dialogue.utterances]
    return "user" in roles and "assistant" in roles[roles.index("user") :]


@pytest.mark.parametrize("format", TUNING)
@few
@given(dialogues=st.lists(conversations(), min_size=1, max_size=3))
def test_every_answered_conversation_comes_back(tmp_path_factory, format, dialogues):
    dialogues = only(*dialogues)
    kept = [d for d in dialogues if answered(d)]
    out = tmp_path_factory.mktemp("out")
    if not kept:
        with pytest.raises(DataError, match=r"nothing to write: .* no answer of the assistant"):
            write(dialogues, out, format, name="x", task="dialogue")
        return
    written = write(dialogues, out, format, name="x", task="dialogue")
    assert list(read(written.files[0], format)) == kept
    assert sum(written.left_out.values()) == len(dialogues) - len(kept)
    for row in rows_of(written.files[0]):
        turns = row.get("conversations") or row.get("messages") or []
        speakers = [turn.get("from") or turn.get("role") for turn in turns]
        assert len(speakers) % 2 == 0
        assert set(speakers[::2]) <= {"human", "user"}
        assert set(speakers[1::2]) <= {"gpt", "assistant"}


def test_joined_turns_come_apart_again_and_the_ends_stay_beside(tmp_path):
    dialogue = talk(
        ("assistant", "Welcome."),
        ("user", "I failed.\nAgain."),
        ("user", "And again."),
        ("assistant", "That sounds hard."),
        ("user", "Yes."),
    )
    written = write([dialogue], tmp_path, "sharegpt", name="x", task="dialogue")
    (row,) = rows_of(written.files[0])
    assert row["conversations"] == [
        {"from": "human", "value": "I failed.\nAgain.\nAnd again."},
        {"from": "gpt", "value": "That sounds hard."},
    ]
    assert list(read(written.files[0], "sharegpt")) == [dialogue]


def test_a_changed_joined_turn_is_refused_and_a_changed_single_one_is_taken(tmp_path):
    dialogue = talk(("user", "One."), ("user", "Two."), ("assistant", "Three."))
    written = write([dialogue], tmp_path, "messages", name="x", task="dialogue")
    (row,) = rows_of(written.files[0])
    row["messages"][1]["content"] = "Better."
    (changed,) = read(write_lines(tmp_path / "a.jsonl", [row]), "messages")
    assert [u.text for u in changed.utterances] == ["One.", "Two.", "Better."]
    row["messages"][0]["content"] = "One and a half.\nTwo."
    with pytest.raises(DataError, match=r"b\.jsonl:1: .*cannot be told apart"):
        list(read(write_lines(tmp_path / "b.jsonl", [row]), "messages"))


def test_a_labelled_turn_of_a_dialogue_is_a_question_of_its_own(tmp_path):
    dialogue = talk(("user", "He hates me."), ("assistant", "Why?"), ("user", "He was late."))
    judged = Labels(frozenset({D.MIND_READING}), frozenset(CANONICAL))
    dialogue = replace(dialogue, labels=(judged, None, None))
    written = write([dialogue], tmp_path, "alpaca", name="x")
    assert written.left_out == {"messages without labels of distortions": 1}
    (read_back,) = read(written.files[0], "alpaca")
    assert (read_back.id, read_back.group) == ("t1#1", "mine:t1")
    assert (read_back.utterances[0].text, read_back.labels) == ("He hates me.", (judged,))


def test_a_corrected_answer_is_what_counts(tmp_path):
    written = write([message("He hates me.", [D.BLAMING])], tmp_path, "alpaca", name="x")
    (row,) = rows_of(written.files[0])
    row["output"] = f"{D.MIND_READING.name_in('zh')}、{D.LABELING.name_in('en').upper()}。"
    (corrected,) = read(write_lines(tmp_path / "a.jsonl", [row]), "alpaca")
    assert corrected.labels[0].distortions == {D.MIND_READING, D.LABELING}
    row["output"] = "labeling, my secret diary"
    with pytest.raises(DataError, match="name 2 of 2 in the answer is an unknown label") as caught:
        list(read(write_lines(tmp_path / "b.jsonl", [row]), "alpaca"))
    assert "diary" not in str(caught.value)


@pytest.mark.parametrize("lang", LANGS)
@few
@given(found=st.frozensets(st.sampled_from(list(D))))
def test_an_answer_is_read_as_it_was_given(lang, found):
    assert parse_answer(answer(found, lang)) == found


def test_nothing_is_named_in_the_language_of_the_message(tmp_path):
    dialogues = [
        message("All is well.", [], "a"),
        message("一切都好。", [], "b"),
        message("😀", [], "c"),
    ]
    written = write(dialogues, tmp_path, "alpaca", name="x")
    assert [row["output"] for row in rows_of(written.files[0])] == ["no distortion", "无认知扭曲"]
    (reason,) = written.left_out
    assert "unknown language" in reason


@pytest.mark.parametrize("format", TUNING)
def test_rows_of_other_people_are_dialogues_too(tmp_path, format):
    theirs = {
        "alpaca": {
            "instruction": "Hi.",
            "input": "I am sad.",
            "output": "Tell me.",
            "history": None,
        },
        "sharegpt": {
            "conversations": [
                {"from": "human", "value": "Hi.\nI am sad."},
                {"from": "gpt", "value": "Tell me."},
            ]
        },
        "messages": {
            "messages": [
                {"role": "user", "content": "Hi.\nI am sad."},
                {"role": "assistant", "content": "Tell me."},
            ]
        },
    }
    file = tmp_path / "x.json"
    file.write_text(json.dumps([theirs[format]], indent=1), encoding="utf-8")
    (dialogue,) = read(file, format)
    assert [u.text for u in dialogue.utterances] == ["Hi.\nI am sad.", "Tell me."]
    assert (dialogue.id, dialogue.labels) == ("2", (None, None))


GOOD = {"instruction": "Hi.", "output": "Hello."}
CHAT = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]


@pytest.mark.parametrize(
    ("format", "row", "reason"),
    [
        ("alpaca", {"output": "x"}, '"instruction" is missing'),
        ("alpaca", GOOD | {"input": 3}, '"input" is missing or no string'),
        ("alpaca", GOOD | {"output": " "}, "message 2: content is empty"),
        ("alpaca", GOOD | {"system": "Be kind."}, '"system" text'),
        ("alpaca", GOOD | {"history": "Hi"}, "history is no list"),
        ("alpaca", GOOD | {"history": [["a", "b"], ["a"]]}, "history entry 2"),
        ("alpaca", GOOD | {"untwist": "{"}, '"untwist" holds no JSON'),
        ("alpaca", GOOD | {"untwist": []}, '"untwist" holds no object'),
        ("alpaca", GOOD | {"untwist": {"id": "a", "task": "detect"}}, "a detection row must hold"),
        ("alpaca", GOOD | {"untwist": {"id": "a", "messages": [{}]}}, "do not belong together"),
        ("alpaca", GOOD | {"untwist": {"id": "a", "messages": 3}}, "do not belong together"),
        ("sharegpt", {"messages": CHAT}, '"conversations" is missing'),
        ("sharegpt", {"conversations": [{"from": "tool", "value": "x"}]}, 'turn 1: "from"'),
        ("messages", {"messages": []}, '"messages" is missing, empty'),
        ("messages", {"messages": ["Hi."]}, "turn 1 is str"),
        ("messages", {"messages": [*CHAT, {"role": "user"}]}, 'turn 3: "content"'),
        ("messages", {"messages": [{"role": "system", "content": "x"}]}, 'turn 1: "role"'),
    ],
)
def test_a_row_of_another_shape_is_refused_with_file_and_line(tmp_path, format, row, reason):
    good = (
        GOOD
        if format == "alpaca"
        else {
            "messages": CHAT,
            "conversations": [
                {"from": "human", "value": "Hi."},
                {"from": "gpt", "value": "Hello."},
            ],
        }
    )
    file = tmp_path / "x.json"
    file.write_text(json.dumps([good, row], indent=None).replace("}, {", "},\n{"), "utf-8")
    refusals = Refusals()
    read_rows = list(read(file, format, refusals))
    assert len(read_rows) == 1
    assert [reason in r.reason for r in refusals] == [True]
    assert next(iter(refusals)).path.endswith("x.json")


def test_the_line_of_a_refused_element_is_that_of_its_beginning(tmp_path):
    file = tmp_path / "x.json"
    file.write_text(
        '\n[\n {"instruction":\n "Hi.", "output": "Yes."},\n\n 5,\n {"output": 1}]', "utf-8"
    )
    refusals = Refusals()
    assert [d.id for d in read(file, "alpaca", refusals)] == ["3"]
    assert [r.line for r in refusals] == [6, 7]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'[{"a": 1},\n{"b" 2}]', r"x\.json:2: not JSON"),
        (b'{"a": 1}\n{"b" 2}\n', r'x\.json:1: "instruction" is missing'),
        (b"not json", r"x\.json:1: not JSON"),
        (b'["\xff"]', r"x\.json: not UTF-8 at byte 3"),
        (b"[" * 200_000, r"x\.json"),
    ],
)
def test_a_file_that_is_no_json_is_a_data_error(tmp_path, content, reason):
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(DataError, match=reason):
        list(read(file, "alpaca"))


def test_an_id_that_comes_twice_is_refused_on_reading_and_counted_on_writing(tmp_path):
    twice = [message("one", []), message("two", [])]
    written = write(twice, tmp_path, "alpaca", name="x")
    assert (written.rows, written.left_out) == (1, {"an id that occurs twice in its corpus": 1})
    (row,) = rows_of(written.files[0])
    with pytest.raises(DataError, match=r'y\.jsonl:2: id "m1" occurs twice'):
        list(read(write_lines(tmp_path / "y.jsonl", [row, row]), "alpaca"))


def test_dataset_info_says_what_llama_factory_must_know(tmp_path):
    dialogue = talk(("user", "Hi."), ("assistant", "Hello."))
    (tmp_path / "dataset_info.json").write_text('{"old": {"file_name": "o.json"}}', "utf-8")
    for format in TUNING:
        write([dialogue], tmp_path, format, name=f"my-{format}", task="dialogue")
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert list(info) == ["old", "my-alpaca", "my-sharegpt", "my-messages"]
    assert info["my-alpaca"] == {
        "file_name": "my-alpaca.jsonl",
        "formatting": "alpaca",
        "columns": {
            "prompt": "instruction",
            "query": "input",
            "response": "output",
            "history": "history",
        },
    }
    assert info["my-messages"] == {
        "file_name": "my-messages.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    }
    assert info["my-sharegpt"]["tags"]["user_tag"] == "human"


@pytest.mark.parametrize(
    ("content", "reason"),
    [('{"x": {}}', 'entry "x" already'), ("[]", "no object"), ("{", "not readable JSON")],
)
def test_a_dataset_info_that_cannot_be_added_to_stops_before_anything_is_written(
    tmp_path, content, reason
):
    (tmp_path / "dataset_info.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=reason):
        write([message("hi there", [])], tmp_path, "alpaca", name="x")
    assert [p.name for p in tmp_path.iterdir()] == ["dataset_info.json"]


@pytest.mark.parametrize("format", FORMATS)
def test_no_format_overwrites_a_file_or_leaves_half_of_one(tmp_path, format):
    dialogue = message("hi there", [])
    written = write([dialogue], tmp_path, format, name="x", licence="cc0-1.0")
    before = {p: p.read_bytes() for p in written.files}
    with pytest.raises(DataError, match="already"):
        write([dialogue], tmp_path, format, name="x", licence="cc0-1.0")
    assert {p: p.read_bytes() for p in written.files} == before
    with pytest.raises(DataError, match="nothing to write: there is no dialogue"):
        write([], tmp_path / "none", format, name="x", licence="cc0-1.0")
    assert [p for p in (tmp_path / "none").rglob("*") if p.is_file()] == []
    if format != "label-studio":
        source = tmp_path if format == "hf" else written.files[0]
        assert list(read(source, format)) == [dialogue]


def test_unknown_formats_names_and_files_are_told(tmp_path):
    with pytest.raises(ConfigError, match="unknown format"):
        write([], tmp_path, "xml", name="x")
    with pytest.raises(ConfigError, match="unknown format"):
        read(tmp_path, "xml")
    with pytest.raises(ConfigError, match="a name has letters"):
        write([], tmp_path, "alpaca", name="../x")
    with pytest.raises(DataError, match="no file"):
        list(read(tmp_path / "x.json", "alpaca"))
