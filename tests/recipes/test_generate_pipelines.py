"""Scenarios, five-part answers, chains and enhanced replies, end to end with scripted models."""

import json
from collections import Counter

import numpy as np
import pytest

from tests.generate.scripts import message_of, quick, timeout, told
from untwist.data import load_jsonl, read_triples
from untwist.data.labelstudio import read_chains
from untwist.errors import ConfigError, DataError
from untwist.generate.scenarios import seeds
from untwist.llm.prompts import emotions
from untwist.recipes import (
    generate_cbtqa,
    generate_chains,
    generate_enhance,
    generate_scenarios,
)
from untwist.recipes.generate_settings import Gated, Given, Running
from untwist.taxonomy import Distortion, Strategy

FREE = Gated(leaks=False)


@pytest.fixture(autouse=True)
def _quick(request, monkeypatch):
    """Drawing takes seconds; the slow test draws."""
    if "draws" not in request.node.name:
        quick(monkeypatch)


def written(folder, name):
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def file_of(tmp_path, rows, name="rows.jsonl"):
    path = tmp_path / name
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return str(path)


# scenarios

EVENT = {
    "event": "The bakery gave my shift to somebody else without a word.",
    "thoughts": "They must think I am useless.",
}
SHEET = {
    "opening": "It makes sense that this stings.",
    "items": [
        {
            "thought": "They must think I am useless.",
            "label": "mind_reading",
            "challenge": "What else could explain a change of shifts?",
        }
    ],
    "closing": "One shift says little about a person.",
}


def events(*texts):
    """A different event for each item, told by what the persona's facts say."""
    made = {}

    def say(request):
        at = made.setdefault(message_of(request), len(made))
        return texts[at % len(texts)]

    return say


def scenario_config(tmp_path, **more):
    more.setdefault("gated", FREE)
    return generate_scenarios.GenerateScenarios(out=str(tmp_path / "run"), lang="en", **more)


def test_seeds_are_all_different_and_every_feeling_comes_equally_often():
    drawn = seeds(200, "en", np.random.default_rng(1))
    assert len(set(drawn)) == 200
    assert set(Counter(seed.emotion for seed in drawn).values()) == {5}
    assert {seed.emotion for seed in drawn} == set(emotions("en"))


def test_a_shorter_draw_is_the_beginning_of_a_longer_one():
    long, short = (seeds(n, "zh", np.random.default_rng(3)) for n in (50, 20))
    assert long[:20] == short


def test_a_scenario_has_labels_challenges_spans_and_its_persona(tmp_path):
    model = told({"event": EVENT, "challenge": SHEET})
    done = generate_scenarios.run(scenario_config(tmp_path, number=1), Given((model,)))
    assert done.ok
    (dialogue,) = load_jsonl(done.folder / "items.jsonl")
    (labels,) = dialogue.labels
    assert labels.distortions == {Distortion.MIND_READING}
    assert labels.challenges == ((Distortion.MIND_READING, SHEET["items"][0]["challenge"]),)
    (span,) = labels.evidence
    assert dialogue.utterances[0].text[span.start : span.end] == EVENT["thoughts"]
    (row,) = written(done.folder, "items.jsonl")
    assert set(row["persona"]) == {"sex", "age", "occupation", "relationship", "emotion"}
    assert [call["prompt"].split(".")[0] for call in row["provenance"]["calls"]] == [
        "event",
        "challenge",
    ]


def test_scenarios_that_repeat_or_speak_of_acute_danger_are_refused(tmp_path):
    danger = {"event": "I lost my job today.", "thoughts": "I want to kill myself tonight."}
    model = told({"event": events(EVENT, EVENT, danger), "challenge": SHEET})
    done = generate_scenarios.run(
        scenario_config(tmp_path, number=3, running=Running(concurrency=1)), Given((model,))
    )
    assert [row["id"] for row in written(done.folder, "items.jsonl")] == ["en-00001"]
    assert done.metrics["refused"] == {"repeat": 1, "wording": 1}
    asked = [request.prompt.split(".")[0] for request in model.requests]
    assert asked.count("challenge") == 2, "nothing more is asked about what may not be written"
    assert "kill" not in (done.folder / "refused.jsonl").read_text(encoding="utf-8")


def test_the_persona_figures_count_what_was_written(tmp_path):
    model = told({"event": EVENT})
    done = generate_scenarios.run(
        scenario_config(tmp_path, number=1, challenge=False), Given((model,))
    )
    spread = done.metrics["statistics"]["personas"]
    assert all(sum(counts.values()) == 1 for counts in spread.values())
    assert (done.folder / "report.md").read_text(encoding="utf-8").count("Emotion") >= 1


@pytest.mark.slow
def test_the_report_draws_who_the_scenarios_are_about(tmp_path):
    model = told({"event": EVENT, "challenge": SHEET})
    done = generate_scenarios.run(scenario_config(tmp_path, number=1), Given((model,)))
    drawn = {path.stem for path in done.folder.glob("*.svg")}
    assert drawn == {"sex", "age", "occupation", "relationship", "emotion", "labels"}


# five-part answers

ANSWER = {
    "validation": "That sounds tiring, and it makes sense that you feel low.",
    "key_thought": "It may be that one quiet week has become a rule about you.",
    "challenge": "When was a week different?",
    "strategy": "You could write down one small thing that went as you wished.",
    "encouragement": "Try it for some days; talking with somebody you trust can help too.",
    "distortions": ["overgeneralization"],
}
POST = {
    "id": "p1",
    "question": "Why do I never have friends?",
    "description": "Nobody wrote this week.",
}


def qa(tmp_path, posts, **more):
    more.setdefault("gated", FREE)
    return generate_cbtqa.GenerateCbtQa(
        out=str(tmp_path / "run"), sources=(file_of(tmp_path, posts),), **more
    )


def test_a_post_gets_an_answer_in_five_parts(tmp_path):
    done = generate_cbtqa.run(qa(tmp_path, [POST]), Given((told({"cbt_answer": ANSWER}),)))
    assert done.ok
    (dialogue,) = load_jsonl(done.folder / "items.jsonl")
    asked, answer = dialogue.utterances
    assert (asked.role, answer.role) == ("user", "assistant")
    assert answer.text.split("\n\n") == [ANSWER[p] for p in list(ANSWER)[:5]]
    assert dialogue.labels[0].distortions == {Distortion.OVERGENERALIZATION}
    (row,) = written(done.folder, "items.jsonl")
    assert list(row["answer"]) == list(ANSWER)[:5]


def test_the_tables_of_the_paper_are_counted_by_hand(tmp_path):
    plain = {**ANSWER, "challenge": "What was new in it?", "distortions": []}
    other = {"id": "p2", "question": "How do I learn to swim?", "description": ""}
    model = told({"cbt_answer": lambda r: plain if "swim" in message_of(r) else ANSWER})
    gold = file_of(
        tmp_path,
        [
            {"id": "p1", "text": "x y", "labels": []},
            {"id": "p2", "text": "x z", "labels": ["labeling"]},
        ],
        "gold.jsonl",
    )
    settings = qa(tmp_path, [POST, other], gold=gold, gated=Gated(leaks=False, repeats=False))
    found = generate_cbtqa.run(settings, Given((model,))).metrics["statistics"]
    assert found["table_1"]["posts"] == 2
    assert (
        found["table_1"]["chars_question"] == (len(POST["question"]) + len(other["question"])) / 2
    )
    assert found["table_1"]["share_distorted"] == 0.5
    assert sorted(found["table_2"].values(), reverse=True)[:2] == [1, 0]
    assert found["table_3"] == {
        "posts": 2,
        "accuracy": 0.0,
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
    }


def test_gold_labels_can_be_given_when_the_answers_are_there(tmp_path):
    model = told({"cbt_answer": ANSWER})
    first = generate_cbtqa.run(qa(tmp_path, [POST]), Given((model,)))
    assert first.metrics["statistics"]["table_3"] is None
    gold = file_of(tmp_path, [{"id": "p1", "text": "x", "labels": ["labeling"]}], "gold.jsonl")
    then = generate_cbtqa.run(qa(tmp_path, [POST], gold=gold), Given((model,)))
    assert then.metrics["statistics"]["table_3"]["accuracy"] == 1.0
    assert len(model.requests) == 1


def test_no_model_answers_a_post_that_speaks_of_acute_danger(tmp_path):
    danger = {"id": "d", "question": "I want to kill myself", "description": "Tonight."}
    model = told({"cbt_answer": ANSWER})
    done = generate_cbtqa.run(qa(tmp_path, [danger, POST]), Given((model,)))
    assert len(model.requests) == 1
    assert done.metrics["refused_before"] == {"risk": 1}


def test_an_answer_that_breaks_a_rule_of_wording_is_no_row(tmp_path):
    bad = {**ANSWER, "validation": "You have depression, that is my diagnosis."}
    done = generate_cbtqa.run(qa(tmp_path, [POST]), Given((told({"cbt_answer": bad}),)))
    assert written(done.folder, "items.jsonl") == []
    assert written(done.folder, "refused.jsonl") == [{"id": "p1", "reason": "wording: R10"}]


def test_the_exemplar_of_the_language_is_shown_to_the_model(tmp_path):
    shown = {**POST, "id": "e", "question": "Why am I always last?", "lang": "en"}
    shown["answer"] = {k: v for k, v in ANSWER.items() if k != "distortions"}
    shown["messages"] = [{"role": "user", "content": "x", "labels": ["labeling"]}]
    model = told({"cbt_answer": ANSWER})
    settings = qa(tmp_path, [POST], exemplars=file_of(tmp_path, [shown], "shown.jsonl"))
    generate_cbtqa.run(settings, Given((model,)))
    said = "\n".join(message["content"] for message in model.requests[0].messages)
    assert "Why am I always last?" in said


def test_a_post_that_is_none_is_counted_with_its_line(tmp_path):
    done = generate_cbtqa.run(
        qa(tmp_path, [{"id": "x"}, POST]), Given((told({"cbt_answer": ANSWER}),))
    )
    assert done.metrics["unread"]["count"] == 1


# chains

MESSAGE = {"id": "m1", "text": "He did not wave back, so he hates me.", "labels": ["mind_reading"]}


def chain(conclusion="One label, well supported.", label="mind_reading"):
    return {
        "situation": "Somebody did not wave back.",
        "thoughts": ["He hates me."],
        "reasons": [
            {"label": label, "quote": "so he hates me", "why": "It claims to know his mind."}
        ],
        "conclusion": conclusion,
    }


def chain_config(tmp_path, rows=(MESSAGE,), **more):
    more.setdefault("gated", FREE)
    return generate_chains.GenerateChains(
        out=str(tmp_path / "run"), sources=(file_of(tmp_path, rows),), **more
    )


def test_every_labelled_message_gets_two_chains_that_people_can_choose_from(tmp_path):
    model = told({"chain": [chain(), chain("It rests on one gesture.")]})
    done = generate_chains.run(chain_config(tmp_path), Given((model,)))
    assert done.ok
    (item,) = read_chains(done.folder / "items.jsonl")
    assert item.labels == {Distortion.MIND_READING}
    assert "It rests on one gesture." in item.candidates[1]
    assert "so he hates me" in item.candidates[0]
    assert len({request.seed for request in model.requests}) == 2


def test_a_chain_for_other_labels_is_asked_for_again_and_then_the_item_fails(tmp_path):
    model = told({"chain": chain(label="labeling")})
    done = generate_chains.run(chain_config(tmp_path), Given((model,)))
    assert not done.ok
    assert done.metrics["stages"]["chains"]["failed"] == {"parse": 1}
    assert len(model.requests) == 3


def test_two_chains_that_are_one_are_refused(tmp_path):
    done = generate_chains.run(chain_config(tmp_path), Given((told({"chain": chain()}),)))
    assert done.metrics["refused"] == {"same": 1}


def test_two_models_write_one_chain_each_and_three_are_too_many(tmp_path):
    one, two = told({"chain": chain()}, "a@1"), told({"chain": chain("Otherwise.")}, "b@1")
    done = generate_chains.run(chain_config(tmp_path), Given((one, two)))
    (row,) = written(done.folder, "items.jsonl")
    assert [call["model"] for call in row["provenance"]["calls"]] == ["a@1", "b@1"]
    with pytest.raises(ConfigError, match="one model, or two"):
        chain_config(tmp_path).pipeline("chains", (one, one, one))


def test_a_corpus_without_labels_has_nothing_to_explain(tmp_path):
    rows = [{"id": "1", "text": "Hello there, nice to meet you."}]
    with pytest.raises(DataError, match="labelled"):
        generate_chains.run(chain_config(tmp_path, rows), Given((told({}),)))


def test_the_chain_that_was_chosen_becomes_an_exchange_to_learn_from(tmp_path):
    rows = [
        {**MESSAGE, "candidates": ["a", "b"], "chosen": 1, "chain": "He cannot know."},
        {**MESSAGE, "id": "m2", "candidates": ["a", "b"], "chosen": None, "chain": None},
    ]
    out = tmp_path / "sft.jsonl"
    found = generate_chains.write_chosen(file_of(tmp_path, rows, "agreed.jsonl"), out)
    assert found == (1, 1)
    (exchange,) = load_jsonl(out)
    asked, answered = exchange.utterances
    assert asked.text == MESSAGE["text"]
    assert answered.text == "He cannot know.\n" + Distortion.MIND_READING.name_in("en")
    assert exchange.labels[0].distortions == {Distortion.MIND_READING}


def test_a_pair_without_a_choice_is_refused_with_its_line(tmp_path):
    with pytest.raises(DataError, match=r"agreed\.jsonl:1"):
        generate_chains.write_chosen(
            file_of(tmp_path, [MESSAGE], "agreed.jsonl"), tmp_path / "sft.jsonl"
        )


# enhanced replies

GOOD = {"reply": "That sounds heavy. What do you know for sure about why he did not wave?"}
BAD = {"reply": "You have depression, that is my diagnosis."}


def enhance_config(tmp_path, rows, **more):
    more.setdefault("gated", FREE)
    more.setdefault("policy", "matrix")
    return generate_enhance.GenerateEnhance(
        out=str(tmp_path / "run"), sources=(file_of(tmp_path, rows),), **more
    )


def dialogue(*said):
    return {
        "id": "d1",
        "messages": [
            {"role": "user", "content": text, "labels": ["mind_reading"], "intensity": "moderate"}
            if n % 2 == 0
            else {"role": "assistant", "content": text}
            for n, text in enumerate(said)
        ],
    }


TALK = dialogue(MESSAGE["text"], "I see.", "My sister did not call, she must be angry with me.")


def test_every_turn_gets_a_reply_of_the_chosen_strategy_in_its_context(tmp_path):
    second = {"reply": "You read her silence as anger. What else could have kept her from calling?"}
    model = told({"reply": lambda r: second if "sister" in message_of(r) else GOOD})
    done = generate_enhance.run(enhance_config(tmp_path, [TALK]), Given((model,)))
    assert done.ok
    first, last = load_jsonl(done.folder / "items.jsonl")
    assert [u.role for u in last.utterances] == ["user", "assistant", "user", "assistant"]
    assert last.utterances[1].text == "I see.", "the context is the dialogue as it was"
    assert first.group == last.group
    row = written(done.folder, "items.jsonl")[1]
    assert last.labels[-1].strategy is Strategy(row["choice"]["strategy"])
    assert last.labels[2].distortions == {Distortion.MIND_READING}
    triples = list(read_triples(done.folder / "review.jsonl"))
    assert [t.strategy for t in triples] == [d.labels[-1].strategy for d in (first, last)]
    assert triples[0].written_by == "fake@1"


def test_a_draft_that_the_guard_stops_is_written_again(tmp_path):
    model = told({"reply": [BAD, GOOD]})
    rows = [dialogue(MESSAGE["text"])]
    done = generate_enhance.run(enhance_config(tmp_path, rows), Given((model,)))
    (row,) = written(done.folder, "items.jsonl")
    assert ["R10" in rules for rules in row["stopped"]] == [True]
    assert done.metrics["statistics"]["rules"]["R10"] == 1
    assert done.metrics["statistics"]["drafts_stopped"] == 1


def test_a_reply_that_the_guard_always_stops_is_refused_with_its_rules(tmp_path):
    rows = [dialogue(MESSAGE["text"])]
    done = generate_enhance.run(enhance_config(tmp_path, rows), Given((told({"reply": BAD}),)))
    assert written(done.folder, "items.jsonl") == []
    (refused,) = written(done.folder, "refused.jsonl")
    assert refused["id"] == "d1#1"
    assert refused["reason"].startswith("guard: ")
    assert done.metrics["refused"] == {"guard": 1}


def test_a_turn_of_the_highest_risk_gets_the_fixed_reply_and_no_model(tmp_path):
    model = told({"reply": GOOD})
    rows = [{"id": "h", "text": "I want to kill myself tonight"}]
    done = generate_enhance.run(enhance_config(tmp_path, rows, region="US"), Given((model,)))
    assert model.requests == []
    (row,) = written(done.folder, "items.jsonl")
    assert row["provenance"]["model"] == "fixed"
    assert row["choice"]["strategy"] == "crisis_intervention"
    assert "988" in row["messages"][-1]["content"]


@pytest.mark.parametrize("judged", [{}, {"labels": []}], ids=["risk alone", "with labels"])
def test_no_model_answers_what_a_person_called_high_risk(tmp_path, judged):
    model = told({"reply": GOOD})
    rows = [{"id": "h", "text": "We repotted the tomatoes today.", "risk": "high", **judged}]
    done = generate_enhance.run(enhance_config(tmp_path, rows), Given((model,)))
    assert model.requests == []
    (row,) = written(done.folder, "items.jsonl")
    assert (row["heard"]["risk"], row["provenance"]["model"]) == ("high", "fixed")


def test_a_failed_reply_spoils_no_other_turn(tmp_path):
    model = told({"reply": lambda r: timeout() if "sister" in message_of(r) else GOOD})
    done = generate_enhance.run(enhance_config(tmp_path, [TALK]), Given((model,)))
    assert not done.ok
    assert [row["id"] for row in written(done.folder, "items.jsonl")] == ["d1#1"]
    assert done.metrics["stages"]["replies"]["failed"] == {"timeout": 1}


def test_messages_without_labels_are_heard_by_the_detector(tmp_path):
    rows = [{"id": "u", "text": "He did not wave back, so he hates me."}]
    done = generate_enhance.run(enhance_config(tmp_path, rows), Given((told({"reply": GOOD}),)))
    (row,) = written(done.folder, "items.jsonl")
    assert row["heard"]["by"].startswith("detector-fast")


# in Chinese


def test_a_chinese_scenario_is_asked_for_and_told_in_chinese(tmp_path):
    event = {"event": "面包店把我的班给了别人，没有人告诉我。", "thoughts": "他们肯定觉得我没用。"}
    sheet = {
        "opening": "遇到这种事，难受是很自然的。",
        "items": [
            {
                "thought": "他们肯定觉得我没用。",
                "label": "mind_reading",
                "challenge": "换班还可能有什么别的原因？",
            }
        ],
        "closing": "一次换班说明不了一个人。",
    }
    model = told({"event": event, "challenge": sheet})
    config = generate_scenarios.GenerateScenarios(
        out=str(tmp_path / "run"), lang="zh", number=1, gated=FREE
    )
    done = generate_scenarios.run(config, Given((model,)))
    (dialogue,) = load_jsonl(done.folder / "items.jsonl")
    (utterance,), (labels,) = dialogue.utterances, dialogue.labels
    assert utterance.lang == "zh"
    (span,) = labels.evidence
    assert utterance.text[span.start : span.end] == "他们肯定觉得我没用。"
    assert {r.prompt.split("@")[0] for r in model.requests} == {"event.zh", "challenge.zh"}


def test_a_chinese_post_is_answered_in_chinese_and_an_english_answer_is_refused(tmp_path):
    post = {"id": "z", "question": "为什么我总是没有朋友？", "description": "这周没有人找我。"}
    chinese = {
        "validation": "听起来你这周很孤单，这样的感受很正常。",
        "key_thought": "也许是安静的一周变成了对自己的一条规则。",
        "challenge": "有没有哪一周不是这样？",
        "strategy": "可以试着每天记下一件顺心的小事。",
        "encouragement": "先试几天，也可以和信任的人聊聊。",
        "distortions": ["overgeneralization"],
    }
    model = told({"cbt_answer": chinese})
    done = generate_cbtqa.run(qa(tmp_path, [post]), Given((model,)))
    (dialogue,) = load_jsonl(done.folder / "items.jsonl")
    assert [u.lang for u in dialogue.utterances] == ["zh", "zh"]
    assert model.requests[0].prompt.startswith("cbt_answer.zh@")
    (tmp_path / "again").mkdir()
    english = generate_cbtqa.run(
        qa(tmp_path / "again", [post]), Given((told({"cbt_answer": ANSWER}),))
    )
    assert english.metrics["refused"] == {"wording": 1}


def test_a_chinese_chain_is_spelled_with_chinese_names(tmp_path):
    row = {"id": "z", "text": "他没有挥手，所以他讨厌我。", "labels": ["mind_reading"]}

    def said(conclusion):
        reason = {"label": "mind_reading", "quote": "所以他讨厌我", "why": "没有问过就下了结论。"}
        return {
            "situation": "有人没有挥手。",
            "thoughts": ["他讨厌我。"],
            "reasons": [reason],
            "conclusion": conclusion,
        }

    model = told({"chain": [said("一个标签，依据充分。"), said("依据只是一个动作。")]})
    done = generate_chains.run(chain_config(tmp_path, [row]), Given((model,)))
    (item,) = read_chains(done.folder / "items.jsonl")
    name = Distortion.MIND_READING.name_in("zh")
    assert f"{name}：“所以他讨厌我” 没有问过就下了结论。" in item.candidates[0]
