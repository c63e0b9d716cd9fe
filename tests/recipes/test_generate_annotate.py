"""Annotation end to end: votes, the queue, refusals, failures, resume; models are scripts."""

import json
import pickle

import pytest

from tests.generate.scripts import annotation, message_of, quick, timeout, told
from untwist.data import load_jsonl
from untwist.errors import ConfigError, ModelError
from untwist.generate.asking import Sampling
from untwist.recipes import generate_stages
from untwist.recipes.generate_annotate import GenerateAnnotate, run
from untwist.recipes.generate_settings import Gated, Given, Named, Running, Stage
from untwist.taxonomy import Distortion, Intensity


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """What takes time is tested elsewhere."""
    quick(monkeypatch)


SHOULD = "I should never be late, not once"
CALM = "We repotted the tomatoes this afternoon and they look well"
MIND = "My sister did not call back, so she must be fed up with me"
PLAIN = annotation()
FOUND = annotation(("should_statements", "should never be late"))


def rows(*texts):
    return [{"id": str(n), "text": text} for n, text in enumerate(texts, 1)]


def written(folder, name):
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def source(tmp_path):
    def write(rows):
        path = tmp_path / "texts.jsonl"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def config(tmp_path, source, **more):
    more.setdefault("gated", Gated(leaks=False))
    more.setdefault("running", Running(concurrency=2))
    return GenerateAnnotate(out=str(tmp_path / "run"), sources=(source,), **more)


def by_text(answers):
    return lambda request: next(a for text, a in answers.items() if text in message_of(request))


def test_what_most_voters_say_becomes_labels_with_provenance(tmp_path, source):
    answers = {SHOULD: FOUND, CALM: PLAIN}
    models = [told({"annotate": by_text(answers)}, name) for name in ("a@1", "b@1", "c@1")]
    done = run(config(tmp_path, source(rows(SHOULD, CALM))), Given(tuple(models)))
    assert done.ok
    first, second = load_jsonl(done.folder / "items.jsonl")
    (labels,) = first.labels
    assert labels.distortions == {Distortion.SHOULD_STATEMENTS}
    assert labels.intensity is Intensity.MODERATE
    (span,) = labels.evidence
    assert SHOULD[span.start : span.end] == "should never be late"
    assert second.labels[0].distortions == frozenset()
    told_of = written(done.folder, "items.jsonl")[0]["provenance"]
    assert told_of["model"] == "a@1+b@1+c@1"
    assert [call["status"] for call in told_of["calls"]] == ["done"] * 3
    assert all(call["cache_key"] for call in told_of["calls"])
    assert told_of["cost"] == pytest.approx(0.03)
    assert done.metrics["calls"]["prompt_tokens"] == 600
    assert done.metrics["statistics"]["agreement"]["should_statements"] == 1.0


def test_what_the_voters_leave_open_goes_to_people_and_not_into_the_data(tmp_path, source):
    models = (told({"annotate": FOUND}, "a@1"), told({"annotate": PLAIN}, "b@1"))
    done = run(config(tmp_path, source(rows(SHOULD))), Given(models))
    assert written(done.folder, "items.jsonl") == []
    (row,) = written(done.folder, "queue.jsonl")
    assert row["open"]["1"]["aspects"] == ["should_statements"]
    assert [vote["voter"] for vote in row["open"]["1"]["votes"]] == ["a@1#42", "b@1#42"]
    (read,) = load_jsonl(done.folder / "queue.jsonl")
    assert read.labels == (None,), "an open turn is not annotated"


def test_a_failed_call_is_a_counted_item_and_never_a_row(tmp_path, source):
    answers = {SHOULD: timeout(), CALM: PLAIN}
    done = run(
        config(tmp_path, source(rows(SHOULD, CALM))), Given((told({"annotate": by_text(answers)}),))
    )
    assert not done.ok
    assert [row["id"] for row in written(done.folder, "items.jsonl")] == ["2"]
    (failed,) = written(done.folder, "failed.jsonl")
    assert failed["reason"] == "timeout"
    assert done.metrics["stages"]["votes"]["failed"] == {"timeout": 1}
    assert "timeout 1" in done.line


def test_an_answer_that_cannot_be_read_is_asked_for_again_with_another_seed(tmp_path, source):
    model = told({"annotate": ["I think she is sad.", FOUND]})
    done = run(config(tmp_path, source(rows(SHOULD))), Given((model,)))
    assert done.ok
    assert len({request.seed for request in model.requests}) == 2
    (row,) = written(done.folder, "items.jsonl")
    assert [call["status"] for call in row["provenance"]["calls"]] == ["not_json", "done"]


def test_the_turns_of_a_dialogue_are_asked_about_one_by_one(tmp_path, source):
    messages = [
        {"role": "user", "content": CALM},
        {"role": "assistant", "content": "Lovely. And you?"},
        {"role": "user", "content": SHOULD},
    ]
    answers = {SHOULD: FOUND, CALM: timeout()}
    model = told({"annotate": lambda r: answers[SHOULD if SHOULD in message_of(r) else CALM]})
    done = run(config(tmp_path, source([{"id": "d", "messages": messages}])), Given((model,)))
    (dialogue,) = load_jsonl(done.folder / "items.jsonl")
    first, helper, last = dialogue.labels
    assert (first, helper) == (None, None), "a turn whose call failed is not annotated"
    assert last.distortions == {Distortion.SHOULD_STATEMENTS}
    (row,) = written(done.folder, "items.jsonl")
    assert row["provenance"]["turns"] == {"1": "timeout", "3": "done"}
    assert CALM in message_of(model.requests[-1]), "what was said before is shown"


def test_the_same_command_goes_on_and_asks_nothing_twice(tmp_path, source):
    file = source(rows(SHOULD, CALM))
    first = run(
        config(tmp_path, file),
        Given((told({"annotate": by_text({SHOULD: FOUND, CALM: timeout()})}),)),
    )
    assert not first.ok
    model = told({"annotate": PLAIN})
    settings = config(tmp_path, file, running=Running(again=("timeout",)))
    again = run(settings, Given((model,)))
    assert again.ok
    assert len(model.requests) == 1
    assert [row["id"] for row in written(again.folder, "items.jsonl")] == ["1", "2"]


def test_what_earlier_runs_of_the_folder_spent_is_told(tmp_path, source):
    file = source(rows(SHOULD, CALM))
    spent = ModelError("no money left", reason="budget")
    settings = config(tmp_path, file, running=Running(concurrency=1))
    first = run(settings, Given((told({"annotate": [FOUND, spent]}),)))
    assert first.metrics["calls_before"]["cost"] is None
    assert "before this run" not in first.line
    done = run(settings, Given((told({"annotate": PLAIN}),)))
    assert "calls before this run: 1 (cost 0.0100)" in done.line
    assert done.metrics["calls_before"]["asked"] == 1
    assert done.metrics["calls_before"]["cost"] == pytest.approx(0.01)
    assert done.metrics["calls"]["cost"] == pytest.approx(0.02)
    assert "cost of earlier runs" in (done.folder / "report.md").read_text(encoding="utf-8")


def test_a_folder_of_other_settings_is_not_gone_on_with(tmp_path, source):
    file = source(rows(SHOULD))
    run(config(tmp_path, file), Given((told({"annotate": FOUND}),)))
    with pytest.raises(ConfigError, match="another run"):
        run(config(tmp_path, file, taxonomy="beck-8"), Given((told({"annotate": FOUND}),)))


def stays(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix in {".toml", ".json"}}


@pytest.mark.parametrize("other", ["settings", "model", "input"])
def test_a_run_that_is_refused_leaves_what_the_folder_says_as_it_was(tmp_path, source, other):
    file = source(rows(SHOULD))
    done = run(config(tmp_path, file), Given((told({"annotate": FOUND}),)))
    before = stays(done.folder)
    more = {"sampling": Sampling(seed=7)} if other == "settings" else {}
    if other == "input":
        source(rows(SHOULD, CALM))
    model = told({"annotate": FOUND}, "b@1" if other == "model" else "fake@1")
    with pytest.raises(ConfigError, match="another run"):
        run(config(tmp_path, file, **more), Given((model,)))
    assert {"config.toml", "manifest.json"} <= set(before)
    assert stays(done.folder) == before
    assert model.requests == []


def test_a_later_stage_refuses_before_an_earlier_one_asks(tmp_path, source):
    file = source(rows(SHOULD))
    run(config(tmp_path, file), Given((told({"annotate": FOUND}),)))
    model = told({"sift": {"why": "A rule.", "distorted": True}, "annotate": FOUND})
    with pytest.raises(ConfigError, match="settings differ"):
        run(config(tmp_path, file, sift=True), Given((model,)))
    assert model.requests == []


def test_a_run_that_goes_on_says_how_it_ran(tmp_path, source):
    file = source(rows(SHOULD))
    model = Given((told({"annotate": FOUND}),))
    run(config(tmp_path, file), model)
    done = run(config(tmp_path, file, running=Running(concurrency=5)), model)
    assert "concurrency = 5" in (done.folder / "config.toml").read_text(encoding="utf-8")


def test_nothing_is_asked_about_what_repeats_or_stands_in_a_test_set(tmp_path, source):
    exam = tmp_path / "exam.jsonl"
    exam.write_text(json.dumps({"id": "t", "text": MIND}) + "\n", encoding="utf-8")
    model = told({"annotate": PLAIN})
    settings = config(
        tmp_path, source(rows(SHOULD, SHOULD + "!", MIND)), gated=Gated(against=(str(exam),))
    )
    done = run(settings, Given((model,)))
    assert len(model.requests) == 1
    assert written(done.folder, "refused.jsonl") == [
        {"id": "2", "reason": "repeat: 1"},
        {"id": "3", "reason": "leak: exam"},
    ]
    assert done.metrics["refused_before"] == {"repeat": 1, "leak": 1}
    assert done.ok, "a refusal is no failure"


def test_what_could_tell_who_someone_is_reaches_no_model(tmp_path, source):
    model = told({"annotate": PLAIN})
    run(
        config(tmp_path, source(rows("Write to me@example.org, I am late again."))), Given((model,))
    )
    assert "example.org" not in message_of(model.requests[0])


def test_the_first_pass_takes_away_what_has_no_distortion_and_no_risk(tmp_path, source):
    sift = by_text(
        {CALM: {"why": "Facts.", "distorted": False}, SHOULD: {"why": "A rule.", "distorted": True}}
    )
    model = told({"sift": sift, "annotate": PLAIN})
    danger = "Some nights I want to kill myself"
    done = run(config(tmp_path, source(rows(CALM, SHOULD, danger)), sift=True), Given((model,)))
    assert [row["id"] for row in written(done.folder, "items.jsonl")] == ["2", "3"]
    assert [r.prompt.split(".")[0] for r in model.requests].count("sift") == 2
    assert [row["id"] for row in written(done.folder, "sifted.jsonl")] == ["1"]
    assert written(done.folder, "items.jsonl")[1]["risk"] == "high", "the screen is the floor"


def test_a_dialogue_whose_first_pass_failed_is_annotated_all_the_same(tmp_path, source):
    file = source(rows(CALM, SHOULD))
    answers = by_text({CALM: timeout(), SHOULD: {"why": "A rule.", "distorted": True}})
    model = told({"sift": answers, "annotate": PLAIN})
    done = run(config(tmp_path, file, sift=True), Given((model,)))
    assert not done.ok
    assert [row["id"] for row in written(done.folder, "items.jsonl")] == ["1", "2"]
    again = run(config(tmp_path, file, sift=True, running=Running(again=("all",))), Given((model,)))
    assert len(written(again.folder, "items.jsonl")) == 2, "votes that were given stay"


def test_a_spent_budget_stops_before_the_votes_and_the_rest_follows(tmp_path, source):
    spent = ModelError("no money left", reason="budget")
    sifted = {"why": "A rule.", "distorted": True}
    file, settings = source(rows(SHOULD, MIND)), {"sift": True, "running": Running(concurrency=1)}
    first = run(
        config(tmp_path, file, **settings),
        Given((told({"sift": [sifted, spent], "annotate": PLAIN}),)),
    )
    assert not first.ok
    assert "stopped: budget" in first.line
    then = told({"sift": [sifted], "annotate": PLAIN})
    done = run(config(tmp_path, file, **settings), Given((then,)))
    assert done.ok
    assert len(written(done.folder, "items.jsonl")) == 2


def test_an_item_that_could_not_be_read_can_be_tried_more_often(tmp_path, source):
    file = source(rows(SHOULD))
    bad = told({"annotate": "I think she is sad."})
    assert not run(config(tmp_path, file), Given((bad,))).ok
    more = config(
        tmp_path, file, sampling=Sampling(attempts=4), running=Running(again=("not_json",))
    )
    model = told({"annotate": ["no", "no", "no", FOUND]})
    assert run(more, Given((model,))).ok


def test_a_rationale_that_may_not_be_written_is_left_out_and_counted(tmp_path, source):
    bad = annotation(rationale="You have depression, that is my diagnosis.")
    done = run(config(tmp_path, source(rows(CALM))), Given((told({"annotate": bad}),)))
    (row,) = written(done.folder, "items.jsonl")
    assert row["rationales"] == {}
    assert done.metrics["statistics"]["rationales_left_out"] == 1


def test_words_that_may_not_be_written_do_not_reach_the_queue_either(tmp_path, source):
    bad = annotation(("labeling", "late"), rationale="You have depression, that is my diagnosis.")
    models = (told({"annotate": bad}, "a@1"), told({"annotate": PLAIN}, "b@1"))
    done = run(config(tmp_path, source(rows(SHOULD))), Given(models))
    (row,) = written(done.folder, "queue.jsonl")
    assert [bool(vote["rationale"]) for vote in row["open"]["1"]["votes"]] == [False, True]


def test_several_samples_need_a_temperature(tmp_path, source):
    with pytest.raises(ConfigError, match="one and the same vote"):
        config(tmp_path, "x.jsonl", samples=3)


def test_samples_of_one_model_have_seeds_of_their_own(tmp_path, source):
    model = told({"annotate": PLAIN})
    settings = config(
        tmp_path, source(rows(CALM)), samples=3, sampling=Sampling(temperature=0.7, seed=5)
    )
    run(settings, Given((model,)))
    assert sorted(request.seed for request in model.requests) == [5, 6, 7]


def test_a_stage_can_be_sent_to_another_process(tmp_path):
    stage = Stage(config(tmp_path, "x.jsonl"), "votes", Named(("a",), "models.toml", "cache"))
    assert pickle.loads(pickle.dumps(stage)) == stage  # noqa: S301


def test_a_question_in_new_words_is_another_run(tmp_path, source, monkeypatch):
    file = source(rows(SHOULD))
    run(config(tmp_path, file), Given((told({"annotate": FOUND}),)))
    monkeypatch.setattr(generate_stages, "_prompts", lambda stage, items: ["annotate@99"])
    with pytest.raises(ConfigError, match="prompts differ"):
        run(config(tmp_path, file), Given((told({"annotate": FOUND}),)))


def test_the_risk_that_a_person_gave_is_a_floor_under_the_votes(tmp_path, source):
    given = [{"id": "1", "text": CALM, "risk": "high"}, {"id": "2", "text": SHOULD, "risk": "low"}]
    done = run(config(tmp_path, source(given)), Given((told({"annotate": PLAIN}),)))
    assert [row["risk"] for row in written(done.folder, "items.jsonl")] == ["high", "low"]


def test_the_first_pass_keeps_what_a_person_called_dangerous_and_asks_nobody(tmp_path, source):
    model = told({"sift": {"why": "Facts.", "distorted": False}, "annotate": PLAIN})
    given = [{"id": "1", "text": CALM, "risk": "medium"}, {"id": "2", "text": SHOULD}]
    done = run(config(tmp_path, source(given), sift=True), Given((model,)))
    assert [row["id"] for row in written(done.folder, "sifted.jsonl")] == ["2"]
    assert [row["risk"] for row in written(done.folder, "items.jsonl")] == ["medium"]


def test_no_row_of_two_files_of_one_name_is_lost_without_being_counted(tmp_path):
    files = []
    for folder, text in (("a", CALM), ("b", SHOULD)):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "texts.jsonl")
        files[-1].write_text(json.dumps({"id": "1", "text": text}) + "\n", encoding="utf-8")
    settings = GenerateAnnotate(
        out=str(tmp_path / "run"), sources=tuple(map(str, files)), gated=Gated(leaks=False)
    )
    done = run(settings, Given((told({"annotate": PLAIN}),)))
    assert len(written(done.folder, "items.jsonl")) == 1
    assert written(done.folder, "refused.jsonl") == [{"id": "1", "reason": "same id"}]
    assert done.metrics["refused_before"] == {"same id": 1}


def sections(tmp_path, **models):
    path = tmp_path / "models.toml"
    text = (
        f'[models.{name}]\nurl = "http://127.0.0.1:{port}/v1"\nmodel = "{model}"\n'
        for port, (name, model) in enumerate(models.items(), 1)
    )
    path.write_text("".join(text), encoding="utf-8")
    return str(path)


def test_two_sections_of_one_model_are_no_two_voters(tmp_path, source):
    models = Named(("big", "small"), sections(tmp_path, big="m", small="m"))
    with pytest.raises(ConfigError, match='the same model "m"'):
        run(config(tmp_path, source(rows(CALM))), models)
    assert not (tmp_path / "run").exists()


def test_the_name_of_a_voter_carries_its_section(tmp_path):
    models = Named(("big", "m2"), sections(tmp_path, big="m1", m2="m2"), str(tmp_path / "a.sqlite"))
    pipeline = config(tmp_path, "x.jsonl").pipeline("votes", models.open())
    assert [voter.name for voter in pipeline.voters] == ["big (m1)#42", "m2#42"]
    assert models.names == ("m1", "m2")
