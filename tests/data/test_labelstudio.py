import json
from collections import Counter
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.data.convert_values import message, talk
from tests.data.people_values import (
    annotation,
    answers_to,
    chain_items,
    langs,
    numbers,
    tasks,
    triples,
)
from untwist.data import Record, Refusals, read_triples
from untwist.data.labelstudio import (
    PAGES,
    ChainAnswer,
    ChainItem,
    TripleAnswer,
    answer_of,
    chain_task,
    collect,
    config,
    item_of,
    page_of,
    read_chains,
    read_exports,
    read_round,
    result_of,
    triple_in,
    triple_row,
    triple_task,
    turn_tasks,
    write_round,
    write_tasks,
)
from untwist.data.labelstudio.chains import chain_item, order_of
from untwist.errors import DataError
from untwist.taxonomy import CANONICAL, LANGS, Distortion, Intensity, Risk

D = Distortion
SLOW = settings(max_examples=40, deadline=None)


def fields_of(page, lang):
    """The controls of a page: name -> (what they are about, their values)."""
    tree = ElementTree.fromstring(config(page, lang))
    controls = [f for f in tree.iter() if f.tag in ("Choices", "Labels", "TextArea")]
    return {f.get("name"): (f.get("toName"), [v.get("value") for v in f]) for f in controls}


@SLOW
@given(st.data(), langs)
def test_whatever_an_annotator_can_say_comes_back_as_it_was_said(data, lang):
    page, made = data.draw(tasks(lang))
    for task in made:
        answer = data.draw(answers_to(page, task["data"]))
        assert answer_of(result_of(answer, task["data"], lang), task["data"]) == answer


@SLOW
@given(st.data(), langs)
def test_every_result_is_about_fields_and_values_that_the_page_has(data, lang):
    page, made = data.draw(tasks(lang))
    fields = fields_of(page, lang)
    for task in made:
        for result in result_of(data.draw(answers_to(page, task["data"])), task["data"], lang):
            to, values = fields[result["from_name"]]
            assert result["to_name"] == to
            assert set(result["value"].get(result["type"], [])) <= set(values)


@pytest.mark.parametrize("adjudication", [False, True])
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("page", PAGES)
def test_every_field_that_a_page_shows_is_in_its_tasks(page, lang, adjudication):
    tree = ElementTree.fromstring(config(page, lang, adjudication=adjudication))
    shown = {f.get("value")[1:] for f in tree.iter() if f.get("value", "").startswith("$")}
    names = [f.get("name") for f in tree.iter() if f.get("name")]
    assert len(names) == len(set(names))
    assert ("said" in shown) == adjudication
    assert shown - {"said"} <= set(example(page, lang)["data"])


def example(page, lang):
    if page == "turns":
        return next(turn_tasks(message("hi", []), lang, Counter()))
    if page == "chains":
        item = ChainItem("c1", "I always fail", "en", frozenset({D.LABELING}), ("one", "two"))
        return chain_task(item, lang)
    row = {
        "id": "t1", "text": "I always fail", "labels": [], "intensity": None, "risk": "low",
        "strategy": "empathic_validation", "reply": "That hurts.", "votes": [], "written_by": "x",
    }  # fmt: skip
    return triple_task(triple_in({"untwist": row}), lang)


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_for_labels_offers_the_taxonomy_with_its_definitions(lang):
    fields = fields_of("turns", lang)
    names = [d.name_in(lang) for d in CANONICAL]
    assert fields["evidence"] == ("text", names)
    assert fields["distortions"][1][:-1] == names
    assert fields["intensity"][1] == [i.name_in(lang) for i in Intensity]
    assert fields["risk"][1] == [r.name_in(lang) for r in Risk]
    assert fields["rationale"] == ("text", [])
    tree = ElementTree.fromstring(config("turns", lang))
    hints = {v.get("value"): v.get("hint") for v in tree.iter("Choice")}
    assert hints[D.LABELING.name_in(lang)] == D.LABELING.definition_in(lang)
    (risk,) = [f for f in tree.iter("Choices") if f.get("name") == "risk"]
    assert risk.get("required") == "true"


def test_a_dialogue_gives_one_task_per_message_of_the_person_with_what_came_before():
    dialogue = talk(("user", "a"), ("assistant", "b"), ("user", "c"))
    first, second = turn_tasks(dialogue, "en", Counter())
    assert [item_of(t["data"]) for t in (first, second)] == ["mine/t1#1", "mine/t1#3"]
    assert [line["text"] for line in second["data"]["history"]] == ["a", "b"]
    assert page_of(first["data"]) == "turns"


@SLOW
@given(st.data(), langs, numbers)
def test_a_round_is_read_from_an_export_and_kept_in_a_folder(tmp_path_factory, data, lang, by):
    page, made = data.draw(tasks(lang))
    assume(made)
    given = {}
    for task in made:
        answer = data.draw(answers_to(page, task["data"]))
        given[item_of(task["data"])] = answer
        task["annotations"] = [annotation(result_of(answer, task["data"], lang), by)]
    folder = tmp_path_factory.mktemp("round")
    export = folder / "export.json"
    export.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    found = read_exports([export])
    assert found == collect(made)
    assert (found.page, found.annotators) == (page, (by,))
    assert {one.item: one.answer for one in found.said} == given
    write_round(found, folder)
    assert read_round(folder) == found


@SLOW
@given(chain_items(), langs)
def test_of_chains_the_order_shown_is_undone(item, lang):
    data = chain_task(item, lang)["data"]
    shown = [data["chain_1"], data["chain_2"]]
    assert [shown[order_of(item.id).index(place)] for place in (0, 1)] == list(item.candidates)
    assert chain_item(Record(1, item.to_dict())) == item


def test_either_candidate_of_a_pair_may_stand_first():
    firsts = [order_of(f"item-{n}")[0] for n in range(200)]
    assert 70 < sum(firsts) < 130


@SLOW
@given(triples(), langs)
def test_a_triple_is_carried_without_its_votes(tmp_path_factory, triple, lang):
    task = triple_task(triple, lang)
    assert triple_in(task["data"]).votes == ()
    assert "votes" not in {k for k in task["data"] if k != "untwist"}
    file = tmp_path_factory.mktemp("t") / "t.jsonl"
    file.write_text(json.dumps(triple_row(triple), ensure_ascii=False) + "\n", encoding="utf-8")
    assert list(read_triples(file)) == [triple]


def test_an_answer_gives_a_vote_of_the_triple():
    assert TripleAnswer(1, -1, 0, "why").vote("3").adequacy == -1


def said(choice, by=1, **more):
    data = example("chains", "en")["data"]
    result = result_of(ChainAnswer(choice), data, "en")
    return {"data": data, "annotations": [annotation(result, by) | more]}


def test_what_cannot_be_read_is_refused_with_its_place_and_the_rest_goes_on():
    task = said(1)
    good = task["annotations"][0]
    task["annotations"] = [
        good,
        good | {"completed_by": 2, "was_cancelled": True},
        good,
        good | {"completed_by": None},
        good | {"completed_by": 3, "result": []},
        good | {"completed_by": 4, "result": good["result"] * 2},
        "text",
    ]
    refusals = Refusals()
    found = collect([task, {"no": 1}], refusals, "project 7")
    assert [one.by for one in found.said] == ["1"]
    reasons = [str(refusal) for refusal in refusals]
    assert len(reasons) == 7
    assert all(reason.startswith("project 7:") for reason in reasons)
    assert "skipped" in reasons[0]
    assert "twice" in reasons[1]


def test_without_a_collector_the_first_refusal_raises():
    with pytest.raises(DataError, match="skipped"):
        collect([said(1, was_cancelled=True)])


def test_the_same_task_of_several_projects_is_one_item():
    found = collect([said(0, by=1), said(1, by=2), said(None, by=3)])
    assert len(found.tasks) == 1
    assert [a.chosen for a in found.by_item()["c1"].values()] == [0, 1, None]


def test_a_task_that_was_changed_between_projects_is_refused():
    other = said(0, by=2)
    other["data"] = other["data"] | {"text": "something else"}
    with pytest.raises(DataError, match="two different tasks"):
        collect([said(0), other])


def test_pages_are_not_mixed():
    with pytest.raises(DataError, match="several pages"):
        collect([said(0), example("turns", "en")])


@pytest.mark.parametrize("data", [{}, {"id": "x", "page": "turns@0"}])
def test_a_task_that_is_not_ours_is_refused(data):
    with pytest.raises(DataError):
        collect([{"data": data, "annotations": []}])


def test_annotators_are_in_the_order_of_their_numbers():
    assert collect([said(0, by=10), said(0, by=2)]).annotators == ("2", "10")


def test_a_round_without_a_task_is_none():
    with pytest.raises(DataError, match="no task"):
        collect([])


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "c1"}',
        '{"id": "zz", "by": "1", "chosen": 0}',
        '{"id": "c1", "by": "1", "chosen": 2}',
        '{"id": "c1", "by": "1"}',
        "{",
    ],
)
def test_a_damaged_folder_says_the_line(tmp_path, line):
    write_tasks([example("chains", "en")], tmp_path / "tasks.json")
    (tmp_path / "answers.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"answers\.jsonl:1"):
        read_round(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        {"id": "1", "text": "a", "labels": [], "candidates": ["x"]},
        {"id": "1", "text": "a", "candidates": ["x", "y"]},
        {"id": "1", "text": "a", "labels": [], "candidates": ["x", " "]},
        {"id": "1", "labels": [], "candidates": ["x", "y"]},
    ],
)
def test_a_row_that_is_no_pair_of_chains_is_refused(tmp_path, row):
    file = tmp_path / "chains.jsonl"
    file.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"chains\.jsonl:1"):
        list(read_chains(file))


def test_a_span_is_found_whether_an_emoji_counts_as_one_or_as_two():
    text = "😀😀 I am so worthless today"
    words = "so worthless"
    start, end = text.index(words), text.index(words) + len(words)
    for shift in (0, 2):
        value = {"start": start + shift, "end": end + shift, "text": words, "labels": ["Labeling"]}
        result = [{"from_name": "evidence", "to_name": "text", "type": "labels", "value": value}]
        (span,) = answer_of(result, {"text": text}).labels.evidence
        assert text[span.start : span.end] == words
    value |= {"start": start + 1, "end": end + 1}
    with pytest.raises(DataError, match="does not stand"):
        answer_of(result, {"text": text})


def spans(text, *places):
    """What comes back of spans of the words that stand there in units of UTF-16."""
    raw = text.encode("utf-16-le")
    units = [raw[2 * a : 2 * b].decode("utf-16-le") for a, b in places]
    return evidence(text, *[(a, b, said) for (a, b), said in zip(places, units, strict=True)])


def evidence(text, *marked):
    result = []
    for start, end, words in marked:
        value = {"start": start, "end": end, "labels": ["Labeling"]}
        value |= {} if words is None else {"text": words}
        result.append(
            {"from_name": "evidence", "to_name": "text", "type": "labels", "value": value}
        )
    return [(one.start, one.end) for one in answer_of(result, {"text": text}).labels.evidence]


def test_a_span_that_fits_in_both_units_is_refused_or_decided_by_the_others():
    text = "😀哈哈哈哈好"
    with pytest.raises(DataError, match="fits in two ways"):
        spans(text, (2, 4))
    # "好" ends behind the last character: only a browser counts so
    assert spans(text, (2, 4), (6, 7)) == [(1, 3), (5, 6)]
    assert evidence(text, (2, 4, "哈哈"), (5, 6, "好")) == [(2, 4), (5, 6)]
    assert evidence(text, (2, 4, None), (6, 7, "好")) == [(1, 3), (5, 6)]


def test_spans_before_the_first_emoji_are_the_same_in_both_units():
    assert spans("哈哈哈😀", (0, 2)) == [(0, 2)]
    assert evidence("哈哈哈", (1, 3, None)) == [(1, 3)]


def test_spans_of_two_units_in_one_annotation_are_refused():
    with pytest.raises(DataError, match="does not stand"):
        evidence("😀 one two", (2, 5, "one"), (7, 10, "two"))


def test_a_span_that_fits_in_both_units_is_counted_among_the_refused():
    (task,) = turn_tasks(message("😀哈哈哈哈好"), "en", Counter())
    value = {"start": 2, "end": 4, "text": "哈哈", "labels": ["Labeling"]}
    span = {"from_name": "evidence", "to_name": "text", "type": "labels", "value": value}
    refusals = Refusals()
    assert collect([task | {"annotations": [annotation([span], "1")]}], refusals).said == ()
    assert len(refusals) == 1
    value["start"], value["end"], value["text"] = 0, 3, "😀哈哈"
    assert len(collect([task | {"annotations": [annotation([span], "1")]}]).said) == 1


def test_half_a_character_is_refused_before_it_is_written():
    task = said(1)
    task["annotations"][0]["result"].append(
        {"from_name": "rationale", "to_name": "text", "type": "textarea",
         "value": {"text": ["\ud83d"]}}
    )  # fmt: skip
    with pytest.raises(DataError, match="half of a character"):
        collect([task])
    broken = said(1)
    broken["data"]["text"] = "\ud83d"
    with pytest.raises(DataError, match="half of a character"):
        collect([broken])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 30) | st.text("ab😀", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=6,
)


def places(value, path=()):
    """The way to every value inside a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_export_is_refused_and_never_breaks(data):
    page, made = data.draw(tasks("en"))
    assume(made)
    task = json.loads(json.dumps(made[0]))
    answer = data.draw(answers_to(page, task["data"]))
    task["annotations"] = [annotation(result_of(answer, task["data"], "en"), "1")]
    *way, last = data.draw(st.sampled_from([p for p in places(task) if p]))
    target = task
    for key in way:
        target = target[key]
    target[last] = data.draw(json_values)
    refusals = Refusals()
    try:
        found = collect([task], refusals)
    except DataError:
        assert len(refusals) <= 1
    else:
        # every annotation is either said or refused
        assert len(found.said) + len(refusals) == len(task.get("annotations", []))
