"""Replies scored from end to end: by rules, references, a reader, and judges of known worth."""

import json

import pytest

from tests.conformance.conftest import assessment
from tests.tiny_corpora import write_lines
from untwist.data import ReplyRow
from untwist.errors import ConfigError, DataError, SafetyError
from untwist.evaluate import CBT_PARTS, check
from untwist.llm import PromptedJudge, ScriptedModel
from untwist.recipes import publish
from untwist.recipes.evaluate_replies import COMPARED, JUDGED, EvaluateReplies, run
from untwist.recipes.replies_judged import Asking
from untwist.recipes.replies_made import (
    ASKS,
    CRISIS,
    ONE_PART,
    SCRIPTED,
    TEMPLATES,
    scripted_replies,
    template_replies,
)
from untwist.recipes.rows import quiet
from untwist.respond import CRISIS_PARTS
from untwist.schema import Dialogue, Labels, Reply, Turn, Utterance, Verdict
from untwist.taxonomy import CANONICAL, Strategy

FIVE = (
    "That sounds painful. The thought seems to be that one slip decides everything. "
    "What would you say to a colleague? You could write down what went well. "
    "There is no hurry, one small step is enough."
)
POOR = "Cheer up."


@pytest.fixture(autouse=True)
def _draws_nothing(monkeypatch):
    """Pictures take seconds and are tested where they are made."""
    monkeypatch.setattr(publish, "find_spec", lambda name: None)


def rows(system, reply, count=12, **more):
    return [
        {"id": f"m{n}", "system": system, "text": f"I failed again, {n} times over.",
         "reply": reply if isinstance(reply, str) else reply(n), "labels": ["labeling"],
         "intensity": "mild", "risk": "low", **more}
        for n in range(count)
    ]  # fmt: skip


def score(tmp_path, *systems, judge=None, asking=None, **changes):
    file = write_lines(tmp_path / "replies.jsonl", [row for one in systems for row in one])
    config = EvaluateReplies(str(tmp_path / "run"), (str(file),), resamples=20, **changes)
    path, metrics = run(config, judge=judge, asking=asking)
    check(json.loads((path / "metrics.json").read_text(encoding="utf-8")), "replies")
    return path, metrics


def by_system(metrics):
    return {one["system"]: one for one in metrics["systems"]}


def test_structure_variety_and_broken_rules_stand_side_by_side(tmp_path):
    varied = rows("varied", lambda n: f"{FIVE} Number {n} and {n * 7} are words of their own.")
    promised = rows("promising", "Promise me that you won't do it. You will be cured.")
    path, metrics = score(tmp_path, varied, promised)
    found = by_system(metrics)
    assert found["varied"]["counts"]["all_parts"]["value"] == 1
    assert found["promising"]["counts"]["all_parts"]["value"] == 0
    assert found["promising"]["counts"]["broken"]["value"] == 1
    assert found["promising"]["counts"]["repeated"]["value"] == 1
    assert found["varied"]["variety"]["self_bleu"] < found["promising"]["variety"]["self_bleu"]
    assert found["varied"]["variety"]["size"] == found["promising"]["variety"]["size"] == 12
    text = (path / "report.md").read_text(encoding="utf-8")
    assert "| varied, en | 12 | 0 | 1.000 [" in text
    cells = {one["system"]: one["cells"] for one in metrics["seekers"]}
    assert cells["varied, en"]["B"]["parts of five"]["value"] == 5
    assert cells["varied, en"]["C"]["parts of five"]["n"] == 0


def test_a_reply_that_never_came_is_unscored_and_counted_by_reason(tmp_path):
    lost = {"id": "x", "system": "a", "text": "I failed again.", "reply": None, "unscored": "slow"}
    _, metrics = score(tmp_path, rows("a", FIVE), [lost])
    assert by_system(metrics)["a"]["unscored"] == {"slow": 1}
    assert by_system(metrics)["a"]["counts"]["n"] == 12


def test_references_are_scored_where_rows_have_them_and_what_lacks_says_so(tmp_path):
    pytest.importorskip("sacrebleu")
    path, metrics = score(tmp_path, rows("a", FIVE, references=[FIVE]), rows("b", POOR))
    found = by_system(metrics)
    scores = {one["name"]: one for one in found["a"]["references"]["scores"]}
    assert scores["BLEU"]["value"] == pytest.approx(100)
    assert scores["BLEURT"]["value"] is None
    assert found["b"]["references"] is None
    text = (path / "report.md").read_text(encoding="utf-8")
    assert "not run: no model was named (--bleurt DIR)" in text


def test_the_risk_of_the_labels_decides_which_rules_hold(tmp_path):
    line = "You could call a helpline, findahelpline.com lists free lines in many countries."
    _, calm = score(tmp_path, rows("a", line, risk="none"))
    assert by_system(calm)["a"]["counts"]["rules"] == {"R22": 12}


def test_the_scripted_replies_are_scored_beside_templates_on_the_same_messages(tmp_path):
    messages = write_lines(
        tmp_path / "own.jsonl",
        [
            {"id": f"p{n}", "text": text, "labels": labels, "risk": "low",
             **({"intensity": "mild"} if labels else {})}
            for n, (text, labels) in enumerate([
                ("I failed once, so I am a total failure.", ["labeling"]),
                ("She did not wave, so she must hate me.", ["mind_reading"]),
                ("Everyone thinks that I am useless at work.", ["mind_reading"]),
                ("Hello!", []),
            ])
        ],
    )  # fmt: skip
    config = EvaluateReplies(
        str(tmp_path / "run"), corpus=str(messages), templates=True, resamples=10
    )
    _, metrics = run(config)
    found = by_system(metrics)
    assert found[SCRIPTED]["counts"]["n"] == found[TEMPLATES]["counts"]["n"] == 3
    assert found[SCRIPTED]["counts"]["all_parts"]["value"] > 0.6
    assert found[TEMPLATES]["counts"]["parts"]["challenge"]["hits"] == 0
    assert found[ONE_PART]["counts"]["n"] == 1


@pytest.mark.parametrize(
    ("parts", "text", "strategy", "form"),
    [
        (CBT_PARTS, FIVE, Strategy.EMPATHIC_VALIDATION, SCRIPTED),
        (CBT_PARTS, "Are you thinking about suicide?", Strategy.EMPATHIC_VALIDATION, ASKS),
        (CBT_PARTS[:1], "Hello.", Strategy.EMPATHIC_VALIDATION, ONE_PART),
        (CRISIS_PARTS, "Are you safe?", Strategy.CRISIS_INTERVENTION, CRISIS),
    ],
)
def test_a_scripted_reply_is_scored_among_those_of_its_form(parts, text, strategy, form):
    class Says:
        def turn(self, message):
            reply = Reply(text, "en", strategy, parts, "made-up")
            return Turn(assessment("x"), None, reply, Verdict(True))

    message = (Utterance("I failed."),)
    dialogue = Dialogue("d", "own", message, (None,), "g")
    (row,) = scripted_replies(Says(), [dialogue], quiet)
    assert (row.system, row.reply) == (form, text)


def test_an_engine_that_fails_leaves_the_row_unscored():
    class Fails:
        def turn(self, message):
            raise SafetyError("no reply could be made")

    dialogue = Dialogue("d", "own", (Utterance("I failed."),), (None,), "g")
    (row,) = scripted_replies(Fails(), [dialogue], quiet)
    assert (row.reply, row.unscored) == (None, "the engine failed")


@pytest.mark.parametrize(("lang", "text"), [("en", "Hello there."), ("zh", "你好。")])
def test_every_label_has_a_template_of_its_own(lang, text):
    message = (Utterance(text, lang),)
    dialogues = [
        Dialogue(f"d{n}", "own", message, (Labels(frozenset(found), frozenset(CANONICAL)),), "g")
        for n, found in enumerate([(), *((one,) for one in CANONICAL)])
    ]
    asked = [ReplyRow(one.id, "g", SCRIPTED, lang, message, FIVE) for one in dialogues[1:]]
    told = template_replies(asked, dialogues)
    assert [row.id for row in told] == [row.id for row in asked]
    assert len({row.reply for row in told}) == len(CANONICAL)


def reading(tmp_path, *told):
    lines = [
        {"id": f"r{n}", "lang": "en", "reply": reply, "parts": parts, "by": "a reader", "of": of}
        for n, (reply, parts, of) in enumerate(told)
    ]
    return str(write_lines(tmp_path / "reading.jsonl", lines))


def test_a_second_reading_stands_beside_the_rules(tmp_path):
    file = reading(
        tmp_path,
        (FIVE, list(CBT_PARTS), "single replies"),
        (FIVE, list(CBT_PARTS[:3]), "single replies"),
        (POOR, [], "others"),
    )
    path, metrics = score(tmp_path, rows("a", FIVE), readings=(file,))
    (found,) = metrics["reading"]
    assert found["of"]["single replies"]["reader"]["hits"] == 1
    assert found["of"]["single replies"]["rules"]["hits"] == 2
    assert found["parts"]["strategy"]["rules_only"] == 1
    assert found["parts"]["validation"]["kappa"] == 1
    assert "Read by: a reader." in (path / "report.md").read_text(encoding="utf-8")


def test_a_reading_with_a_part_that_is_none_is_refused(tmp_path):
    file = reading(tmp_path, (FIVE, ["sixth"], "x"))
    with pytest.raises(DataError, match=r"reading.jsonl:1: parts are out of"):
        score(tmp_path, rows("a", FIVE), readings=(file,))


def worth(text):
    """What the made-up people and the made-up judge think of a reply: the number it ends with."""
    return 1 + int(text.rstrip(".").split()[-1]) % 4


def judge(opinion):
    """A model that gives every scale the same score, a function of the reply it is shown."""

    def answer(request):
        shown = request.messages[-1]["content"]
        if "<first>" in shown:
            one, other = (
                shown.split(f"<{tag}>\n")[1].split(f"\n</{tag}>")[0] for tag in ("first", "second")
            )
            better = opinion(one) - opinion(other)
            said = "first" if better > 0 else "second" if better < 0 else "same"
            fields = {"why": "so", "better": said}
        else:
            reply = shown.split("<reply>\n")[1].split("\n</reply>")[0]
            fields = {"why": "so", "score": opinion(reply)}
        scales = request.schema["properties"]
        return json.dumps(dict.fromkeys(scales, fields))

    return PromptedJudge(ScriptedModel(answer, "made-up@1"), temperature=0.7)


def people(tmp_path, count=40, kind="person", off=0):
    lines = [
        {"id": f"m{n}", "system": "a", "rater": rater, "kind": kind,
         "scores": {"EmoE": min(5, worth(f"x {n}") + off), "SaRM": 3}}
        for n in range(count) for rater in ("ann", "bo")
    ]  # fmt: skip
    return (str(write_lines(tmp_path / "ratings.jsonl", lines)),)


ASKING = Asking(("session",), repeats=1)


def scales(metrics):
    return {one["scale"]: one for one in metrics["judge"]["scales"]}


def numbered(system, count=40, off=0):
    return rows(system, lambda n: f"A reply with number {n + off}.", count)


def test_a_judge_that_agrees_with_people_is_shown_and_the_others_are_withheld(tmp_path):
    path, metrics = score(
        tmp_path, numbered("a"), judge=judge(worth), asking=ASKING, people=people(tmp_path)
    )
    found = scales(metrics)
    assert found["EmoE"]["standing"]["kappa"] == pytest.approx(1)
    assert found["EmoE"]["means"][0]["value"] == pytest.approx(2.5)
    # people always gave 3, and nobody rated StraE
    assert "no better than chance" in found["SaRM"]["standing"]["withheld"]
    assert "it takes 30" in found["StraE"]["standing"]["withheld"]
    assert found["StraE"]["means"] == []
    assert found["EmoE"]["steadiness"]["same"]["value"] == 1
    assert [one["system"] for one in metrics["judge"]["seekers"]] == ["a"]
    assert set(metrics["judge"]["seekers"][0]["cells"]["B"]) == {"EmoE"}
    assert (path / JUDGED).read_text(encoding="utf-8").count("\n") == 80
    told = metrics["judge"]["rubrics"]["session"]
    text = (path / "report.md").read_text(encoding="utf-8")
    assert "made-up@1, 40 replies" in text
    assert f"session@{told['version']} (prompt {told['prompt']})" in text


def test_without_people_no_number_of_a_judge_stands_anywhere(tmp_path):
    path, metrics = score(tmp_path, numbered("a"), judge=judge(worth), asking=ASKING)
    assert all(
        one["means"] == [] and one["preferences"] == [] for one in metrics["judge"]["scales"]
    )
    assert metrics["judge"]["seekers"] == []
    text = (path / "report.md").read_text(encoding="utf-8")
    assert "Means on calibrated scales" not in text
    assert "0 replies rated by two people or more; it takes 30" in text


def test_ratings_of_language_models_calibrate_nothing(tmp_path):
    given = people(tmp_path, kind="model")
    _, metrics = score(tmp_path, numbered("a"), judge=judge(worth), asking=ASKING, people=given)
    assert metrics["judge"]["models_left_out"] == 80
    assert scales(metrics)["EmoE"]["standing"]["n"] == 0


def test_two_systems_are_compared_in_both_orders(tmp_path):
    asking = Asking(("session",), repeats=1, compare=True)
    _, metrics = score(
        tmp_path, numbered("a"), numbered("b", off=1), judge=judge(worth), asking=asking,
        people=people(tmp_path),
    )  # fmt: skip
    (found,) = scales(metrics)["EmoE"]["preferences"]
    # b is one better in three of four numbers, and three worse in the fourth
    assert (found["first"], found["second"], found["n"]) == ("a", "b", 40)
    assert (found["won"]["hits"], found["lost"]["hits"]) == (10, 30)
    assert found["first_shown"]["value"] == 0.5
    assert found["unsettled"]["hits"] == 0


def test_a_judge_that_names_what_stands_first_settles_nothing_though_it_agrees_with_people(
    tmp_path,
):
    fair = judge(worth).model._said

    def leaning(request):
        said = json.loads(fair(request))
        for one in said.values():
            if "better" in one:
                one["better"] = "first"
        return json.dumps(said)

    asking = Asking(("session",), repeats=1, compare=True)
    asked = PromptedJudge(ScriptedModel(leaning, "leaning@1"))
    path, metrics = score(
        tmp_path, numbered("a"), numbered("b"), judge=asked, asking=asking, people=people(tmp_path)
    )
    (found,) = scales(metrics)["EmoE"]["preferences"]
    assert found["unsettled"]["hits"] == found["n"] == 40
    assert found["first_shown"]["value"] == 1
    assert (path / COMPARED).read_text(encoding="utf-8").count("\n") == 80


def test_a_judge_that_fails_is_unscored_with_the_reason(tmp_path):
    model = ScriptedModel(lambda request: "I'm sorry, but I can't judge this.", "shy@1")
    _, metrics = score(tmp_path, numbered("a", 3), judge=PromptedJudge(model), asking=ASKING)
    assert metrics["judge"]["unscored"] == {"refused": 6}
    assert scales(metrics)["EmoE"]["steadiness"]["unscored"] == 6


def test_a_judge_never_sees_whose_reply_it_is(tmp_path):
    seen = []

    def look(request):
        seen.append(json.dumps(request.messages))
        return judge(worth).model._said(request)

    asked = PromptedJudge(ScriptedModel(look, "looking@1"))
    score(tmp_path, numbered("secret-system", 2), judge=asked, asking=ASKING)
    assert len(seen) == 4
    assert not any("secret-system" in one for one in seen)


def test_messages_that_people_rated_are_asked_about_first(tmp_path):
    given = people(tmp_path, count=3)
    path, _ = score(
        tmp_path, numbered("a"), judge=judge(worth), asking=ASKING, people=given, judged=3
    )
    lines = (path / JUDGED).read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["id"] for line in lines} == {"m0", "m1", "m2"}


def test_what_cannot_be_scored_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="calibrate a judge"):
        score(tmp_path, rows("a", FIVE), people=people(tmp_path))
    with pytest.raises(DataError, match='a replies twice to "m0"'):
        score(tmp_path, rows("a", FIVE), rows("a", POOR))
    lost = [{**row, "reply": None, "unscored": "slow"} for row in rows("a", POOR)]
    with pytest.raises(DataError, match="no reply to score"):
        score(tmp_path, lost)


def test_a_rater_who_rated_a_reply_twice_is_refused(tmp_path):
    (file,) = people(tmp_path, count=2)
    twice = (file, file)
    with pytest.raises(DataError, match="rated a reply twice"):
        score(tmp_path, numbered("a"), judge=judge(worth), asking=ASKING, people=twice)


def test_equal_runs_are_equal(tmp_path):
    one = score(tmp_path / "1", rows("a", FIVE))[1]
    other = score(tmp_path / "2", rows("a", FIVE))[1]
    assert one == other
