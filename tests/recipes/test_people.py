import json

import numpy as np
import pytest

from tests.recipes.people_scenario import (
    CHAINS,
    TEXTS,
    TRIPLES,
    FakeServer,
    annotate,
    answers,
    chain_say,
    check_final,
    corpus,
    rows_of,
    small_round,
    triple_say,
    turn,
    whole_round,
)
from untwist.data import Reading, Refusals, read_triples
from untwist.data.labelstudio import (
    ChainAnswer,
    TripleAnswer,
    collect,
    result_of,
    write_round,
)
from untwist.errors import ConfigError, DataError
from untwist.evaluate import vote_agreement
from untwist.recipes import people, people_gate, people_votes
from untwist.taxonomy import Distortion, Intensity, Risk

D = Distortion
BY = (4, 2, 11)


def made(folder, **options):
    return people.make_tasks("turns", str(corpus(folder)), Reading(), "en", **options)


def test_a_whole_round_comes_to_what_three_annotators_and_a_senior_reader_said(tmp_path):
    check_final(whole_round(FakeServer(), BY, tmp_path))


def test_of_chains_the_one_that_most_chose_is_kept(tmp_path):
    settled = small_round(FakeServer(), BY, tmp_path, "chains", CHAINS, chain_say)
    rows = {row["id"]: row for row in people_votes.agreed_rows(settled)}
    assert [rows[f"c{n}"]["chain"] for n in range(4)] == ["two 0", "one 1 😀", None, "one 3 😀"]
    assert rows["c0"]["people"] == [
        {"decided": "majority", "votes": 3, "rationales": [f"because {n}" for n in (0, 1, 2)]}
    ]


def test_triples_keep_every_vote_and_are_read_by_the_calibration(tmp_path):
    settled = small_round(FakeServer(), BY, tmp_path, "triples", TRIPLES, triple_say)
    assert [one.disputes for one in settled.settled] == [(), ("adequacy",), ("adequacy",)]
    people_votes.write_agreed(settled, tmp_path / "voted.jsonl")
    triples = list(read_triples(tmp_path / "voted.jsonl"))
    assert [vote.by for vote in triples[0].votes] == ["4", "2", "11"]
    votes = [[vote.match for vote in triple.votes] for triple in triples]
    assert vote_agreement(votes, "match", np.random.default_rng(1), 5).same == 1


def test_labels_of_the_source_stay_behind_unless_they_are_asked_for(tmp_path):
    bare = made(tmp_path)
    assert all("predictions" not in row for row in bare.rows)
    assert "labels" not in json.dumps([row["data"] for row in bare.rows])
    assert sum(bare.left_out.values()) == 6
    shown = made(tmp_path, predictions=True)
    assert sum("predictions" in row for row in shown.rows) == 6
    server = FakeServer()
    (project,) = people.open_projects(server, "x", "turns", "en", predictions=True)
    assert server.projects[project]["shows"]


def test_only_messages_without_labels_are_asked_about_when_that_is_wanted(tmp_path):
    open_ones = made(tmp_path, unlabelled=True)
    assert [row["data"]["id"] for row in open_ones.rows] == ["d#1", "d#3"]


@pytest.mark.parametrize("page", ["turns", "chains", "triples"])
def test_names_and_numbers_are_replaced_before_anything_is_sent(tmp_path, page):
    words = "My name is Amelie Rosenthal, call 0151 23456789."
    rows = {
        "turns": {"id": "1", "text": words},
        "chains": CHAINS[0] | {"text": words, "candidates": [words, "b"]},
        "triples": TRIPLES[0] | {"text": words, "lang": "en", "reply": words},
    }
    source = rows_of(tmp_path, "x.jsonl", [rows[page]])
    tasks = people.make_tasks(page, str(source), Reading(), "en")
    sent = json.dumps(tasks.rows)
    assert "Rosenthal" not in sent
    assert "23456789" not in sent
    assert tasks.redacted == 1


def test_reasons_that_annotators_write_are_redacted_too(tmp_path):
    server, tasks = FakeServer(), made(tmp_path)
    projects = people.open_projects(server, "x", "turns", "en")
    people.push(server, projects, tasks)
    annotate(server, projects[0], 1, lambda d: turn(d["text"], why="ask ann@example.org"))
    found = people.pull(server, projects)
    assert {one.answer.rationale for one in found.said} == {"ask [EMAIL]"}


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(tmp_path):
    tasks = made(tmp_path)
    one, same, other = (tasks.sample(4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    places = [tasks.rows.index(row) for row in one.rows]
    assert places == sorted(places)
    with pytest.raises(ConfigError, match="ask for fewer"):
        tasks.sample(9, np.random.default_rng(1))


def test_after_the_gate_the_rest_is_sent_and_nothing_twice(tmp_path):
    server, tasks = FakeServer(), made(tmp_path)
    projects = people.open_projects(server, "x", "turns", "en", copies=2)
    people.push(server, projects, tasks.sample(3, np.random.default_rng(1)))
    done = people.push(server, projects, tasks, deal=True)
    assert (sum(done.projects.values()), done.there_already) == (5, 3)
    held = [{task["data"]["id"] for task in server.export(p)} for p in projects]
    assert len(held[0] & held[1]) == 3
    assert len(held[0] | held[1]) == 8


def test_one_shared_project_or_one_each_but_not_both():
    with pytest.raises(ConfigError, match="not both"):
        people.open_projects(FakeServer(), "x", "turns", "en", copies=2, overlap=2)
    server = FakeServer()
    people.open_projects(server, "mine", "turns", "en", copies=2)
    assert [p["title"] for p in server.projects.values()] == ["mine (1 of 2)", "mine (2 of 2)"]


def test_an_item_that_is_there_twice_is_refused(tmp_path):
    source = rows_of(tmp_path, "x.jsonl", [CHAINS[0], CHAINS[0]])
    with pytest.raises(DataError, match="twice"):
        people.make_tasks("chains", str(source), Reading(), "en")


def test_a_dialogue_without_a_message_of_the_person_is_refused_and_counted(tmp_path):
    messages = [{"role": "assistant", "content": "Hello"}]
    rows = [{"id": "a", "messages": messages}, {"id": "b", "text": "hi"}]
    refusals = Refusals()
    source = rows_of(tmp_path, "x.jsonl", rows)
    tasks = people.make_tasks("turns", str(source), Reading(), "en", refusals)
    assert (len(tasks.rows), len(refusals)) == (1, 1)


def test_nothing_to_ask_is_said(tmp_path):
    source = tmp_path / "x.jsonl"
    source.write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="nothing to ask"):
        people.make_tasks("triples", str(source), Reading(), "en")


def together(*votes):
    return people_votes.together(list(votes))


def test_a_lone_vote_for_high_risk_is_never_outvoted():
    votes = [turn("a", risk=Risk.HIGH), *[turn("a", risk=Risk.NONE)] * 4]
    assert together(*votes) == (None, ("high_risk",))


def test_high_risk_by_most_stands():
    votes = [turn("a", risk=Risk.HIGH)] * 2 + [turn("a", risk=Risk.LOW)]
    answer, disputes = together(*votes)
    assert (answer.labels.risk, disputes) == (Risk.HIGH, ())


def test_levels_that_nobody_agrees_on_are_disputed():
    levels = [turn("a", D.LABELING, intensity=i) for i in Intensity]
    assert together(*levels) == (None, ("intensity",))
    risks = [turn("a", risk=r) for r in (Risk.NONE, Risk.LOW, Risk.MEDIUM)]
    assert together(*risks) == (None, ("risk",))


def test_where_most_see_no_distortion_the_intensity_of_the_others_is_dropped():
    votes = [turn("a"), turn("a"), turn("a", D.LABELING, intensity=Intensity.MILD)]
    answer, _ = together(*votes)
    assert (answer.labels.distortions, answer.labels.intensity) == (frozenset(), None)


def test_how_strongly_a_distortion_is_held_say_those_who_heard_it():
    votes = [
        turn("a", D.LABELING, intensity=Intensity.SEVERE),
        turn("a", D.LABELING, intensity=Intensity.SEVERE),
        *[turn("a", D.LABELING)] * 3,
        *[turn("a", D.BLAMING, intensity=Intensity.MILD)] * 3,
    ]
    answer, disputes = together(*votes)
    assert (answer.labels.intensity, disputes) == (Intensity.SEVERE, ())


def test_neither_of_two_chains_is_an_answer_like_the_others():
    assert together(ChainAnswer(None), ChainAnswer(None), ChainAnswer(1)) == (ChainAnswer(None), ())
    assert together(ChainAnswer(None), ChainAnswer(0), ChainAnswer(1)) == (None, ("choice",))


def test_scales_of_a_triple_are_counted_one_by_one():
    votes = [TripleAnswer(1, 0, 1), TripleAnswer(1, 1, 0)]
    assert together(*votes) == (None, ("adequacy", "risk"))


def round_of(tmp_path, annotators=BY, skip=()):
    server = FakeServer()
    projects = people.open_projects(server, "x", "turns", "en", copies=len(annotators))
    people.push(server, projects, made(tmp_path))
    for who, (project, by) in enumerate(zip(projects, annotators, strict=True)):
        for task in server.export(project):
            if (who, task["data"]["id"]) not in skip:
                answer = answers(task["data"]["text"], who)
                server.annotate(task["id"], result_of(answer, task["data"], "en"), by)
    return people.pull(server, projects)


def test_items_that_too_few_judged_wait_and_are_neither_data_nor_queue(tmp_path):
    found = round_of(tmp_path, skip={(1, "m0"), (2, "m0")})
    settled = people_votes.settle(found)
    assert settled.counts() == {
        "items": 8, "agreed": 5, "adjudicated": 0, "disputed": 2,
        "disputes": {"labels": 1, "high_risk": 1}, "waiting": 1,
    }  # fmt: skip
    assert people_votes.settle(found, at_least=1).waiting == 0


def test_the_queue_shows_what_was_said_but_not_by_whom(tmp_path):
    tasks = people_votes.queue(people_votes.settle(round_of(tmp_path)), "en")
    (task,) = [t for t in tasks if t["data"]["text"] == TEXTS[5]]
    assert [line["author"] for line in task["data"]["said"]] == [f"Annotator {x}" for x in "ABC"]
    texts = [line["text"] for line in task["data"]["said"]]
    assert sum("high" in text for text in texts) == 1
    assert not any(str(by) in json.dumps(task["data"]["said"]) for by in BY)


def test_rounds_of_different_pages_do_not_adjudicate_each_other(tmp_path):
    turns = round_of(tmp_path)
    source = rows_of(tmp_path, "c.jsonl", CHAINS[:1])
    chains = collect(people.make_tasks("chains", str(source), Reading(), "en").rows)
    with pytest.raises(ConfigError, match="adjudicated"):
        people_votes.settle(turns, adjudicated=chains)


def gate(folder, **options):
    return people_gate.run(people_gate.PeopleGate(str(folder), resamples=50, **options))


@pytest.fixture
def kept(tmp_path):
    write_round(round_of(tmp_path), tmp_path / "round")
    return tmp_path / "round"


def test_a_gate_is_shut_until_enough_was_judged_and_agreed_on(kept):
    metrics, _ = gate(kept, items=50)
    assert not metrics["open"]
    assert {"facet": "labels", "why": "8 of 50 items judged by all"} in metrics["obstacles"]
    assert gate(kept, items=8, at_least=0.2, on=("labels",))[0]["open"]


def test_a_gate_leaves_its_report_with_the_caveat(kept, tmp_path):
    metrics, _ = gate(kept, items=8, out=str(tmp_path / "report"))
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "how common a label is" in text
    assert "Mind reading" in text
    kept_metrics = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert kept_metrics == metrics
    assert [one["facet"] for one in metrics["facets"]] == ["labels", "intensity", "risk"]


def test_a_gate_looks_at_the_annotators_and_facets_that_are_named(kept):
    metrics, _ = gate(kept, items=8, by=("4", "2"), on=("risk",))
    assert metrics["annotators"] == ["4", "2"]
    assert [one["annotators"] for one in metrics["facets"]] == [2]
    with pytest.raises(ConfigError, match="no annotator 9"):
        gate(kept, by=("9",))
    with pytest.raises(ConfigError, match="labels, intensity, risk"):
        gate(kept, on=("choice",))


@pytest.mark.parametrize(("page", "rows", "say"), [
    ("chains", CHAINS, chain_say), ("triples", TRIPLES, triple_say),
])  # fmt: skip
def test_every_page_has_its_facets(tmp_path, page, rows, say):
    settled = small_round(FakeServer(), BY, tmp_path, page, rows, say)
    found = people_gate.measure(settled.round, np.random.default_rng(1), 20)
    names = {"chains": ["choice"], "triples": ["match", "adequacy", "risk"]}[page]
    assert [one.facet.name for one in found] == names
    assert all(one.joint == len(rows) for one in found)
