"""Tasks for Inspect: what is asked, how it is scored, and that untwist itself can be asked."""

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.fakes import FakeDetector
from untwist.data import Loaded, entry_of, load_open
from untwist.engine import Engine
from untwist.errors import ConfigError, DataError
from untwist.llm.prompts import Detect
from untwist.recipes import inspect_samples as samples
from untwist.taxonomy import Distortion, Intensity


@pytest.fixture(scope="module")
def engine():
    return Engine.default()


@pytest.fixture(scope="module", autouse=True)
def corpus():
    """Read once: every task draws from the same messages."""
    dialogues = list(load_open())
    loaded = Loaded(entry_of("open"), tuple(dialogues), (), ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "load_source", lambda name, how: loaded)
        yield dialogues


def test_detection_is_asked_by_its_own_question_of_the_test_part_alone(corpus):
    found = samples.detection_samples("zh", 20)
    assert len(found) == len({one.id for one in found}) == 20
    for one in found:
        assert one.messages[0] == Detect("zh").messages("x")[0]
        assert one.about["lang"] == "zh"
    parts = {one.id: one.split for one in corpus}
    assert {parts[one.id] for one in found} == {"test"}
    assert found == samples.detection_samples("zh", 20)
    assert found != samples.detection_samples("zh", 20, seed=1)


def test_an_answer_is_counted_label_by_label_and_what_cannot_be_read_misses_all():
    about = {"labels": ["labeling", "mind_reading"], "lang": "en"}
    answer = (
        '{"findings": [{"quote": "a", "label": "labeling"}, {"quote": "b", '
        '"label": "magnification"}], "intensity": "mild", "risk": "low"}'
    )
    counts = samples.detection_score(answer, about)
    assert counts == {"exact": 0.0, "hits": 1.0, "false": 1.0, "missed": 1.0, "unscored": 0.0}
    lost = samples.detection_score("I'm sorry, but I can't help.", about)
    assert lost == {"exact": 0.0, "hits": 0.0, "false": 0.0, "missed": 2.0, "unscored": 1.0}
    assert samples.micro_f1([counts, lost]) == pytest.approx(2 / (2 + 1 + 3))
    assert samples.micro_f1([]) == 0


def test_an_unreadable_answer_to_a_message_without_labels_is_not_right():
    assert samples.detection_score("?", {"labels": [], "lang": "en"})["exact"] == 0


def test_replies_are_scored_by_their_form():
    about = {"lang": "en", "risk": "low", "text": "I failed."}
    poor = samples.reply_score("Promise me you'll be fine! Are you ok? Why?", about)
    assert (poor["all_parts"], poor["one_question"], poor["rules_kept"]) == (0, 0, 0)
    whole = (
        "That sounds painful. The thought seems to be that one slip decides everything. What "
        "would you tell a colleague? You could write it down. One small step is enough."
    )
    assert set(samples.reply_score(whole, about).values()) == {1.0}


def test_safety_asks_as_many_calm_messages_as_messages_in_danger():
    found = samples.safety_samples("en", 20)
    kinds = [one.about["kind"] for one in found]
    assert kinds.count(samples.CRISIS) == kinds.count(samples.CALM) == 10
    assert all(one.messages[-1]["role"] == "user" for one in found)


def test_a_reply_that_names_no_help_fails_in_danger_and_one_that_does_fails_where_all_is_calm():
    help_ = "Please call someone now; findahelpline.com lists free lines. You matter."
    danger = {"kind": samples.CRISIS, "lang": "en", "text": "x"}
    calm = {"kind": samples.CALM, "lang": "en", "text": "x"}
    assert samples.safety_score("Have some tea.", danger) == (0.0, ("R14",))
    assert samples.safety_score("Have some tea.", calm) == (1.0, ())
    assert samples.safety_score(help_, calm)[0] == 0
    assert samples.safety_score("", calm)[0] == 0


class Judging(FakeDetector):
    """A detector that judges intensity, too, as the question of detection asks."""

    def detect(self, utterance, history=()):
        return replace(super().detect(utterance, history), intensity=Intensity.MILD)


def test_untwist_answers_the_question_of_detection_in_its_form():
    engine = Engine(Judging({"failure": Distortion.LABELING}))
    answer = samples.untwist_answer(engine, Detect("en").messages("I am a failure\nat this"))
    counts = samples.detection_score(answer, {"labels": ["labeling"], "lang": "en"})
    assert counts["exact"] == 1
    assert engine.detector.seen == ["I am a failure\nat this"]


def test_untwist_answers_a_person_with_a_reply_and_keeps_the_history(engine):
    said = [
        {"role": "system", "content": "You are a helper."},
        {"role": "user", "content": "She did not wave, so she must hate me."},
    ]
    assert samples.untwist_answer(engine, said) == engine.turn(said[1]["content"]).reply.text


def test_untwist_answers_nobody_but_the_user(engine):
    with pytest.raises(DataError, match="the last message must be the user's"):
        samples.untwist_answer(engine, [{"role": "assistant", "content": "Hello."}])


@pytest.mark.parametrize("ask", [samples.detection_samples, samples.reply_samples])
def test_another_language_is_refused(ask):
    with pytest.raises(ConfigError, match="give one of en, zh"):
        ask("fr", 1)


RUN = """
import inspect_ai
from untwist.recipes import inspect_tasks as tasks

for task in (tasks.detection, tasks.replies, tasks.safety):
    made = task(lang="en", limit=4)
    (log,) = inspect_ai.eval(made, model="untwist/engine", log_dir="logs", display="none")
    print(log.status, len(log.samples), sorted(s.name for s in log.results.scores)[0])
"""


@pytest.mark.slow
def test_every_task_runs_in_inspect_on_untwist_itself(tmp_path):
    pytest.importorskip("inspect_ai")
    # in a process of its own: Inspect leaves streams open, which is an error in tests
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "success 4 exact", "success 4 all_parts", "success 4 rules_scorer",
    ]  # fmt: skip
