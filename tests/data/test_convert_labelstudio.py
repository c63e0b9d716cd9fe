import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.convert_values import conversations, message, only, singles, talk
from untwist.data import Refusals
from untwist.data.convert import read, read_label_studio, write
from untwist.errors import DataError
from untwist.schema import Finding, Labels
from untwist.taxonomy import CANONICAL, LANGS, Acuity, Distortion, Intensity, Risk

D = Distortion


def written_tasks(dialogues, out, **options):
    written = write(dialogues, out, "label-studio", name="x", **options)
    return json.loads(written.files[0].read_text(encoding="utf-8")), written


def exported(tmp_path, tasks, name="export.json"):
    file = tmp_path / name
    file.write_text(json.dumps(tasks, ensure_ascii=False, indent=1), encoding="utf-8")
    return file


def annotate(task, by, result=None):
    """What an annotator who agrees with the shown prediction would hand in."""
    result = task["predictions"][0]["result"] if result is None else result
    annotation = {"id": 90, "completed_by": by, "was_cancelled": False, "result": result}
    return {"id": 1, "data": task["data"], "annotations": [annotation]}


def choice(name, *values):
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": values}}


def span(text, words, *names):
    start = text.index(words)
    value = {"start": start, "end": start + len(words), "text": words, "labels": names}
    return {"from_name": "evidence", "to_name": "text", "type": "labels", "value": value}


@settings(max_examples=25, deadline=None)
@given(
    dialogues=st.lists(singles() | conversations(), min_size=1, max_size=3),
    lang=st.sampled_from(LANGS),
)
def test_an_annotator_who_agrees_gives_back_the_same_labels(tmp_path_factory, dialogues, lang):
    out = tmp_path_factory.mktemp("out")
    dialogues = [d for d in only(*dialogues) if any(u.role == "user" for u in d.utterances)]
    if not dialogues:
        return
    dialogues = [replace(d, labels=tuple(map(fillable, d.labels))) for d in dialogues]
    options = {"task": "dialogue", "lang": lang, "predictions": True}
    tasks, _ = written_tasks(dialogues, out, **options)
    done = [annotate(t, 7) for t in tasks if t.get("predictions", [{}])[0].get("result")]
    agreed = list(read_label_studio(exported(out, done)))
    assert {annotator for annotator, _ in agreed} <= {"7"}
    assert [d for _, d in agreed] == [only_said(d) for d in dialogues if said(d)]


def fillable(labels):
    """Labels as an annotator could fill them in on the page."""
    if labels is None:
        return None
    found = labels.distortions
    found = None if found is None else found & frozenset(CANONICAL)
    evidence = tuple(f for f in labels.evidence if f.distortion in CANONICAL)
    intensity = labels.intensity if found else None
    return Labels(found, frozenset(CANONICAL), intensity, labels.risk, (), evidence)


def said(dialogue):
    return any(labels is not None for labels in only_said(dialogue).labels)


def only_said(dialogue):
    """Without labels of the assistant's turns, and without those that say nothing."""
    kept = [
        None if u.role != "user" or (j and j.distortions is None and j.risk is None) else j
        for u, j in zip(dialogue.utterances, dialogue.labels, strict=True)
    ]
    return replace(dialogue, labels=tuple(kept))


def test_labels_are_not_shown_unless_asked_for(tmp_path):
    dialogue = message("He hates me.", [D.MIND_READING], risk=Risk.LOW)
    tasks, written = written_tasks([dialogue], tmp_path)
    assert tasks == [
        {
            "data": {
                "id": "m1",
                "text": "He hates me.",
                "lang": "en",
                "untwist": {"id": "m1", "corpus": "mine"},
            }
        }
    ]
    assert written.left_out == {"labels, which annotators do not see": 1}
    (task,), _ = written_tasks([dialogue], tmp_path / "shown", predictions=True)
    assert task["predictions"][0]["result"] == [
        choice("distortions", "Mind reading") | {"value": {"choices": ["Mind reading"]}},
        choice("risk", "low") | {"value": {"choices": ["low"]}},
    ]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("task", ["detect", "dialogue"])
def test_the_page_offers_every_label_in_the_language_asked_for(tmp_path, lang, task):
    _, written = written_tasks([message("hi", [])], tmp_path, lang=lang, task=task)
    page = ElementTree.fromstring(written.files[1].read_text(encoding="utf-8"))
    offered = {
        field.get("name"): [child.get("value") for child in field]
        for field in page
        if field.tag in ("Choices", "Labels")
    }
    names = [d.name_in(lang) for d in CANONICAL]
    assert offered["evidence"] == names
    assert offered["distortions"][:-1] == names
    assert offered["distortions"][-1] == {"en": "no distortion", "zh": "无认知扭曲"}[lang]
    assert offered["intensity"] == [i.name_in(lang) for i in Intensity]
    assert offered["risk"] == [r.name_in(lang) for r in Risk]
    assert (page.find("Paragraphs") is not None) == (task == "dialogue")
    assert all(field.get("toName") == "text" for field in page if field.get("toName"))


def test_a_dialogue_is_one_task_per_message_of_the_person_with_what_came_before(tmp_path):
    dialogue = talk(("assistant", "你好。"), ("user", "他讨厌我。"), ("user", "我完了。"))
    tasks, _ = written_tasks([dialogue], tmp_path, task="dialogue")
    assert [t["data"]["id"] for t in tasks] == ["t1#2", "t1#3"]
    assert tasks[1]["data"]["history"] == [
        {"author": "助手", "text": "你好。"},
        {"author": "来访者", "text": "他讨厌我。"},
    ]
    results = [[choice("distortions", "读心术")], [choice("distortions", "无认知扭曲")]]
    done = [annotate(t, by, r) for t, r in zip(tasks, results, strict=True) for by in (3, 4)]
    export = exported(tmp_path, done[:3])
    (three, first), (four, second) = read_label_studio(export)
    assert (three, four) == ("3", "4")
    assert first.utterances == second.utterances == dialogue.utterances
    assert [j and j.distortions for j in first.labels] == [None, {D.MIND_READING}, frozenset()]
    assert [j and j.distortions for j in second.labels] == [None, {D.MIND_READING}, None]
    assert [d.corpus for d in read(export, "label-studio")] == ["mine@3", "mine@4"]


def test_annotators_are_numbers_whatever_the_export_says_of_them(tmp_path):
    (task,), _ = written_tasks([message("He hates me.")], tmp_path)
    who = {"id": 5, "email": "someone@example.org", "first_name": "Someone"}
    export = exported(tmp_path, [annotate(task, who, [choice("distortions", "mind_reading")])])
    ((annotator, dialogue),) = read_label_studio(export)
    assert annotator == "5"
    assert "omeone" not in repr(dialogue)


def test_a_span_counts_characters_and_says_its_label(tmp_path):
    text = "😀 我总是失败，\n他讨厌我。"
    (task,), _ = written_tasks([message(text)], tmp_path)
    results = [
        span(text, "他讨厌我", "读心术"),
        span(text, "失败，\n他", "过度概括"),
        choice("distortions", "过度概括"),
        {"from_name": "remark", "type": "textarea", "value": {"text": ["hm"]}},
    ]
    results[1]["value"]["text"] = "失败，\\n他"
    ((_, dialogue),) = read_label_studio(exported(tmp_path, [annotate(task, 1, results)]))
    assert dialogue.labels[0].distortions == {D.MIND_READING, D.OVERGENERALIZATION}
    assert dialogue.labels[0].evidence == (
        Finding(D.MIND_READING, 1.0, 9, 13),
        Finding(D.OVERGENERALIZATION, 1.0, 5, 10),
    )


def test_an_export_that_was_not_made_by_untwist_needs_text_alone(tmp_path):
    tasks = [
        {"id": 8, "data": {"text": "He hates me."}, "annotations": []},
        {
            "id": 9,
            "data": {"text": "All is well."},
            "annotations": [
                {"completed_by": 2, "result": [choice("distortions", "no distortion")]}
            ],
        },
    ]
    ((annotator, dialogue),) = read_label_studio(exported(tmp_path, tasks))
    assert (annotator, dialogue.id, dialogue.labels[0].distortions) == ("2", "9", frozenset())


TEXT = "He hates me."
FINE = [choice("distortions", "Mind reading")]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ("none", "no object"),
        ({"was_cancelled": True}, "skipped by its annotator"),
        ({"completed_by": None}, '"completed_by" holds no number'),
        ({"completed_by": "a@example.org"}, '"completed_by" holds no number'),
        ({"result": None}, '"result" is no list'),
        ({"result": []}, "nothing under"),
        ({"result": [choice("mood", "Mind reading")]}, "nothing under"),
        ({"result": [choice("distortions", "Gloom")]}, "unknown distortion"),
        ({"result": [choice("distortions", "Blaming", "no distortion")]}, "none at the same time"),
        (
            {"result": [choice("distortions", "no distortion"), span(TEXT, "me", "Blaming")]},
            "none at the same time",
        ),
        ({"result": [choice("risk", "awful")]}, '"risk" holds none of its values'),
        (
            {"result": [choice("risk", "low", "high")]},
            '"risk" holds none of its values, or several',
        ),
        ({"result": [choice("intensity", "mild")]}, "an intensity without a distortion"),
        (
            {"result": [{"from_name": "evidence", "value": {"labels": ["Blaming"]}}]},
            "without a place",
        ),
        ({"result": [{"from_name": "evidence", "value": "x"}]}, '"evidence" holds no labels'),
        (
            {
                "result": [
                    {
                        "from_name": "evidence",
                        "value": {"labels": ["Blaming"], "start": 0, "end": 99},
                    }
                ]
            },
            "not within",
        ),
        (
            {
                "result": [
                    {
                        "from_name": "evidence",
                        "value": {"labels": ["Blaming"], "start": 0, "end": 2, "text": "me"},
                    }
                ]
            },
            "does not stand where it says",
        ),
    ],
)
def test_a_broken_annotation_is_refused_and_the_others_are_taken(tmp_path, annotation, reason):
    good = {"completed_by": 1, "result": FINE}
    broken = annotation if isinstance(annotation, str) else good | {"completed_by": 2} | annotation
    task = {"data": {"id": "a", "text": TEXT}, "annotations": [broken, good]}
    export = exported(tmp_path, [task])
    refusals = Refusals()
    assert [a for a, _ in read_label_studio(export, refusals)] == ["1"]
    (refusal,) = refusals
    assert refusal.line == 2
    assert reason in refusal.reason
    assert refusal.reason.startswith("annotation 1: ")
    with pytest.raises(DataError, match=r"export\.json:2: annotation 1: "):
        list(read_label_studio(export))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": "He hates you."}, "text was changed"),
        ({"turn": 9}, '"turn" is none of the messages'),
        ({"text": None}, 'its task has no "text"'),
    ],
)
def test_a_changed_task_is_refused(tmp_path, change, reason):
    dialogue = talk(("user", TEXT), ("assistant", "Why?"))
    (task,), _ = written_tasks([dialogue], tmp_path, task="dialogue")
    task["data"] |= change
    with pytest.raises(DataError, match=reason):
        list(read_label_studio(exported(tmp_path, [annotate(task, 1, FINE)])))


def test_what_is_no_task_and_what_comes_twice_is_refused(tmp_path):
    task = {"data": {"id": "a", "text": TEXT}, "annotations": [{"completed_by": 1, "result": FINE}]}
    export = exported(tmp_path, [task, 3, {"data": {}}, {"annotations": []}, task])
    refusals = Refusals()
    assert len(list(read_label_studio(export, refusals))) == 1
    reasons = [r.reason for r in refusals]
    assert len(reasons) == 4
    assert "a JSON int" in reasons[0]
    assert "no task with" in reasons[1]
    assert "no task with" in reasons[2]
    assert "annotated the message twice" in reasons[3]


def test_what_the_page_has_no_field_for_is_counted(tmp_path):
    odd = Labels(frozenset({D.COMPARING}), frozenset(D), acuity=(Acuity.MEDICAL,))
    dialogues = [
        replace(message(TEXT), labels=(odd,)),
        talk(("user", "a"), ("user", "b")),
        message("Hello.", id="m2", role="assistant"),
    ]
    tasks, written = written_tasks(dialogues, tmp_path, predictions=True)
    assert len(tasks) == 1
    assert written.left_out == {
        "labels that the page has no field for": 1,
        'more than one message: write it with the task "dialogue"': 1,
        "no message of the person": 1,
    }
