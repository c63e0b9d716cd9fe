"""A whole round with annotators who are not there, on any server that fits: a fake, or a real one.

The words are invented. Three annotators get a project each; what they say is known, so that what is
pulled, gated, settled, adjudicated and written can be compared with it.
"""

import json
from copy import deepcopy

import numpy as np

from untwist.data import Reading, load_jsonl
from untwist.data.labelstudio import (
    ChainAnswer,
    TripleAnswer,
    TurnAnswer,
    config,
    item_of,
    read_round,
    result_of,
    write_round,
    write_tasks,
)
from untwist.errors import ConfigError
from untwist.recipes import people, people_gate, people_votes
from untwist.schema import Finding, Labels
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

D = Distortion
TEXTS = [
    "I failed once, so I will always fail. 😀",
    "他没回我消息，他一定讨厌我。",
    "It rained today.\nI stayed in.",
    'I\'m a loser 😞 and "nobody" cares',
    "我应该什么都做好，否则就是废物。",
    "Nothing matters any more.",
]


class FakeServer:
    """What Label Studio keeps of the calls it gets; `annotate` is given the number of a task."""

    def __init__(self):
        self.projects, self.next = {}, 1

    def create(self, title, config, annotators=1):
        self.projects[self.next] = {"title": title, "config": config, "overlap": annotators,
                                    "tasks": [], "shows": False}  # fmt: skip
        self.next += 1
        return self.next - 1

    def show_predictions(self, project):
        self.projects[project]["shows"] = True

    def add(self, project, tasks):
        held = self._tasks(project)
        for task in tasks:
            held.append(deepcopy(task) | {"id": self.next, "annotations": []})
            self.next += 1
        return len(tasks)

    def export(self, project):
        return deepcopy(self._tasks(project))

    def annotate(self, task, result, by=None):
        for project in self.projects.values():
            for one in project["tasks"]:
                if one["id"] == task:
                    one["annotations"].append(
                        {"completed_by": by, "was_cancelled": False, "result": deepcopy(result)}
                    )
        return 1

    def _tasks(self, project):
        if project not in self.projects:
            raise ConfigError("no such project")
        return self.projects[project]["tasks"]


def corpus(folder):
    """A dialogue and single messages, with labels that nobody shall see."""
    rows = [{"id": f"m{n}", "text": text, "labels": []} for n, text in enumerate(TEXTS)]
    said = [("user", "I am stupid."), ("assistant", "Who says so?"), ("user", "我就是知道。")]
    messages = [{"role": role, "content": text} for role, text in said]
    file = folder / "mine.jsonl"
    lines = [
        json.dumps(row, ensure_ascii=False) for row in [*rows, {"id": "d", "messages": messages}]
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def turn(text, *labels, risk=Risk.NONE, intensity=None, words=None, why=""):
    """One annotator's answer; the first label is shown by `words`."""
    evidence = ()
    if words is not None:
        start = text.index(words)
        evidence = (Finding(labels[0], 1.0, start, start + len(words)),)
    found = Labels(frozenset(labels), frozenset(CANONICAL), intensity, risk, (), evidence)
    return TurnAnswer(found, why)


def answers(text, who):
    """What annotator 0, 1 or 2 says of a message."""
    if text == TEXTS[0]:
        words = ["I will always fail", "always fail", "so I will always"][who]
        return turn(text, D.OVERGENERALIZATION, intensity=Intensity.SEVERE, words=words,
                    why=["“always”", "", "一次\n不等于永远"][who])  # fmt: skip
    if text == TEXTS[1]:
        levels = [Intensity.MILD, Intensity.MODERATE, Intensity.MODERATE]
        return turn(text, D.MIND_READING, intensity=levels[who], words="一定讨厌我")
    if text == TEXTS[2]:
        return turn(text)
    if text == TEXTS[3]:
        return turn(text, [D.LABELING, D.MAGNIFICATION, D.BLAMING][who])
    if text == TEXTS[4]:
        extra = [D.ALL_OR_NOTHING] if who else []
        return turn(text, D.SHOULD_STATEMENTS, *extra, risk=Risk.LOW)
    if text == TEXTS[5]:
        return turn(text, risk=[Risk.HIGH, Risk.MEDIUM, Risk.MEDIUM][who])
    return turn(text)


DISPUTES = {"jsonl/m3": ("labels",), "jsonl/m5": ("high_risk",)}


def annotate(server, project, by, say):
    for task in server.export(project):
        answer = say(task["data"])
        server.annotate(task["id"], result_of(answer, task["data"], "zh"), by)


def whole_round(server, annotators, folder):
    """Push, annotate, pull, gate, settle, adjudicate, write; every step is checked."""
    tasks = people.make_tasks("turns", str(corpus(folder)), Reading(), "zh")
    assert len(tasks.rows) == 8
    projects = people.open_projects(server, "Labels", "turns", "zh", copies=3)
    assert people.push(server, projects, tasks).projects == dict.fromkeys(projects, 8)
    again = people.push(server, projects, tasks)
    assert (sum(again.projects.values()), again.there_already) == (0, 24)

    for who, (project, by) in enumerate(zip(projects, annotators, strict=True)):
        annotate(server, project, by, lambda data, who=who: answers(data["text"], who))
    found = people.pull(server, projects)
    assert found.annotators == tuple(map(str, sorted(annotators)))
    for item, said in found.by_item().items():
        text = found.tasks[item]["text"]
        wanted = {str(by): answers(text, who) for who, by in enumerate(annotators)}
        assert said == wanted, item
    write_round(found, folder / "round")
    assert read_round(folder / "round") == found

    labels, *_ = people_gate.measure(found, np.random.default_rng(1), 50)
    assert (labels.joint, labels.annotators) == (8, 3)

    settled = people_votes.settle(found)
    assert {one.item: one.disputes for one in settled.disputed} == named(found, DISPUTES)
    (folder / "queue").mkdir()
    write_tasks(people_votes.queue(settled, "en"), folder / "queue" / "tasks.json")
    waiting = people.read_tasks(folder / "queue")
    senior = people.open_projects(server, "Queue", "turns", "en", adjudication=True)
    people.push(server, senior, waiting)
    annotate(server, senior[0], annotators[0], adjudicate)
    final = people_votes.settle(found, adjudicated=people.pull(server, senior))
    assert final.counts()["adjudicated"] == 2
    assert not final.disputed
    people_votes.write_agreed(final, folder / "final.jsonl")
    return {d.id: d for d in load_jsonl(folder / "final.jsonl")}


def named(found, by_id):
    """The same with the names that the round uses."""
    ends = {item.rpartition("/")[2]: item for item in found.tasks}
    return {ends[key.rpartition("/")[2]]: value for key, value in by_id.items()}


def adjudicate(data):
    assert len(data["said"]) == 3
    assert data["said"][0]["author"].endswith("A")
    if data["disputes"] == ["high_risk"]:
        return turn(data["text"], risk=Risk.HIGH)
    return turn(data["text"], D.LABELING)


def check_final(final):
    """What the three annotators and the senior reader come to."""
    assert len(final) == 7
    (first,) = final["m0"].labels
    assert first.distortions == {D.OVERGENERALIZATION}
    assert first.intensity is Intensity.SEVERE
    # of "I will always fail", "always fail" and "so I will always" most marked the first
    (span,) = first.evidence
    assert TEXTS[0][span.start : span.end] == "I will always fail"
    (second,) = final["m1"].labels
    assert second.intensity is Intensity.MODERATE
    assert final["m3"].labels[0].distortions == {D.LABELING}
    assert final["m4"].labels[0].distortions == {D.SHOULD_STATEMENTS, D.ALL_OR_NOTHING}
    assert final["m4"].labels[0].intensity is None
    assert final["m5"].labels[0].risk is Risk.HIGH
    labelled = [labels is not None for labels in final["d"].labels]
    assert labelled == [True, False, True]


CHAINS = [
    {"id": f"c{n}", "text": "I always fail", "labels": ["overgeneralization"],
     "candidates": [f"one {n} 😀", f"two {n}"]}
    for n in range(4)
]  # fmt: skip
TRIPLES = [
    {"id": f"t{n}", "text": "我什么都做不好。", "lang": "zh", "labels": ["overgeneralization"],
     "intensity": "severe", "risk": "low", "strategy": "examine_evidence",
     "reply": "有没有一次例外？", "votes": [], "written_by": "invented"}
    for n in range(3)
]  # fmt: skip


def rows_of(folder, name, rows):
    file = folder / name
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def chain_say(who):
    def say(data):
        place = {"c0": 1, "c1": 0, "c2": None}.get(data["id"], who % 2)
        return ChainAnswer(place, f"because {who}")

    return say


def triple_say(who):
    def say(data):
        return TripleAnswer(1, -1 if data["id"] == "t0" else [-1, 0, 1][who], who % 2, "因为")

    return say


def small_round(server, annotators, folder, page, rows, say):
    """Push one shared project, annotate, pull and settle."""
    source = rows_of(folder, f"{page}.jsonl", rows)
    tasks = people.make_tasks(page, str(source), Reading(), "en")
    projects = people.open_projects(server, page.title(), page, "en", overlap=3)
    people.push(server, projects, tasks)
    for who, by in enumerate(annotators):
        annotate(server, projects[0], by, say(who))
    found = people.pull(server, projects)
    wanted = {
        item_of(task["data"]): {
            str(by): say(who)(task["data"]) for who, by in enumerate(annotators)
        }
        for task in tasks.rows
    }
    assert found.by_item() == wanted
    return people_votes.settle(found)


def every_page(lang):
    """Every page with and without what annotators said."""
    return [config(page, lang, adjudication=a) for page in ("turns", "chains", "triples")
            for a in (False, True)]  # fmt: skip
