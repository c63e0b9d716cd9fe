"""The samples of a tuning run: parts, groups, ablations, cut histories, and what is refused."""

import json
from dataclasses import fields

import pytest

from untwist.data import parts_of
from untwist.errors import ConfigError, DataError
from untwist.recipes import llm_samples
from untwist.recipes.llm_samples import Sources, held_out, prepare
from untwist.recipes.train_llm import read_preset
from untwist.taxonomy import Distortion, Strategy
from untwist.tune import Message, Sample, write_samples
from untwist.tune.config import DataConfig
from untwist.tune.streams import Drafted

LABEL = Distortion.MIND_READING.value
DIALOGUES = DataConfig("dialogues")


def turns(id, reply="How could you find out?", **more):
    """A dialogue of three messages; the person's are labelled in full."""
    labelled = {"labels": [LABEL], "intensity": "mild", "risk": "low", "lang": "en"}
    plain = {"labels": [], "risk": "none", "lang": "en"}
    said = [
        {"role": "user", "content": f"Hello from {id}.", **plain},
        {"role": "assistant", "content": f"Hello {id}.", "strategy": Strategy.EMPATHIC_VALIDATION},
        {"role": "user", "content": f"She hates me, says {id}.", **labelled},
        {"role": "assistant", "content": reply, "strategy": Strategy.REALITY_TESTING},
    ]
    return {"id": id, "corpus": "mine", "messages": said, **more}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def dialogues(tmp_path):
    return write(tmp_path / "d.jsonl", *(turns(f"d{n}") for n in range(5)))


def ids(samples):
    return sorted(sample.id for sample in samples)


def test_a_test_part_is_never_learned_from_and_never_looked_at(tmp_path):
    rows = [turns("a", split="train"), turns("b", split="validation"), turns("c", split="test")]
    read = prepare(Sources((write(tmp_path / "d.jsonl", *rows),)), DIALOGUES)
    (one,) = read.models.values()
    assert {sample.id[:6] for sample in one.train} == {"mine:a"}
    assert {sample.id[:6] for sample in one.held_out} == {"mine:b"}
    assert read.about["test_part"] == 4


def test_a_corpus_by_name_has_the_parts_of_its_grouped_split():
    read = prepare(Sources(("open",)), DataConfig("labels"))
    (one,) = read.models.values()
    assert read.about["test_part"] > 500
    assert len(one.train) > 2 * len(one.held_out) > 0
    assert not set(ids(one.train)) & set(ids(one.held_out))


def test_the_test_part_of_a_corpus_is_that_of_its_evaluation_whatever_the_seed(monkeypatch):
    asked = []

    def parts(name, dialogues, mode, seed=None):
        asked.append((mode, seed))
        return parts_of(name, dialogues, mode)

    monkeypatch.setattr(llm_samples, "parts_of", parts)
    prepare(Sources(("open-dialogues",), seed=7), DIALOGUES)
    assert asked == [("grouped", None)]


def test_what_a_policy_made_of_a_test_dialogue_is_not_learned_from(tmp_path):
    rows = write(tmp_path / "d.jsonl", turns("a"), turns("b", split="test", group="b"))
    made = write(tmp_path / "m.jsonl", turns("b#3", "What else?", group="b"), turns("a#3", "And?"))
    read = prepare(Sources((rows,), (made,)), DIALOGUES)
    assert {s.id.split(":")[1][0] for s in read.models["model"].train} == {"a"}
    assert read.about["test_part"] == 4
    assert read.about["near_test_part"] == 1


def test_a_near_duplicate_of_a_test_row_in_another_file_is_not_learned_from(tmp_path):
    asked = {"text": "She hates me, I know it.", "labels": [LABEL]}
    near = {"text": "She hates me I know it!", "labels": [LABEL]}
    other = {"text": "It was a good day.", "labels": []}
    one = write(tmp_path / "a.jsonl", {"id": "1", **asked, "split": "test"})
    two = write(tmp_path / "b.jsonl", {"id": "2", **near}, {"id": "3", **other})
    read = prepare(Sources((one, two)), DataConfig("labels"))
    assert ids(read.models["model"].train) == ["b:3"]
    assert (read.about["test_part"], read.about["near_test_part"]) == (1, 1)


@pytest.mark.parametrize("part", ["Test", "holdout", 3])
def test_a_part_that_nobody_knows_is_not_taken_for_training(tmp_path, part):
    row = {"instruction": "A", "output": "B", "split": part}
    with pytest.raises(DataError, match="call it one of train, validation, test"):
        prepare(Sources((write(tmp_path / "t.jsonl", row),)), DataConfig("triads"))


def test_other_spellings_of_a_part_are_that_part(tmp_path):
    rows = [
        {"instruction": f"Question {n}", "output": "B", "split": part}
        for n, part in enumerate(("train", "dev", "val", "test"))
    ]
    read = prepare(Sources((write(tmp_path / "t.jsonl", *rows),)), DataConfig("triads"))
    (one,) = read.models.values()
    assert (len(one.train), len(one.held_out), read.about["test_part"]) == (1, 2, 1)


def test_groups_are_held_out_whole_by_their_share_and_seed(dialogues):
    config = DataConfig("dialogues", validation=0.4)
    first, again = (prepare(Sources((dialogues,)), config).models["model"] for _ in range(2))
    assert first == again
    named = {sample.id.split("#")[0] for sample in first.held_out}
    assert len(named) == 2
    assert not named & {sample.id.split("#")[0] for sample in first.train}
    others = {
        tuple(ids(prepare(Sources((dialogues,), seed=seed), config).models["model"].held_out))
        for seed in range(6)
    }
    assert len(others) > 1


def drafted(group, part=None):
    sample = Sample(group, "plain", (Message("user", group),), "x")
    return Drafted(group, part, 0, lambda _: sample)


def test_one_side_is_never_left_without_a_group():
    assert held_out([drafted("a"), drafted("b")], 0.99, 0).count(True) == 1
    with pytest.raises(DataError, match="validation to 0"):
        held_out([drafted("a"), drafted("a")], 0.5, 0)
    with pytest.raises(DataError, match="nothing is left"):
        held_out([drafted("a", "validation")], 0.5, 0)
    assert held_out([drafted("a"), drafted("b")], 0.0, 0) == [False, False]


def test_a_marked_part_goes_before_a_drawn_share():
    rows = [drafted("a", "validation"), *(drafted(f"{n}") for n in range(20))]
    assert held_out(rows, 0.5, 0) == [True] + [False] * 20
    near = [*rows, drafted("a"), drafted("a", "train")]
    assert held_out(near, 0.5, 0) == [True] + [False] * 20 + [True, True]


@pytest.mark.parametrize(
    ("ablation", "streams"),
    [
        ("none", {"model": {"diagnosis", "intervention"}}),
        ("no_diagnosis", {"model": {"intervention"}}),
        ("no_intervention", {"model": {"diagnosis"}}),
        ("pipeline", {"diagnosis": {"diagnosis"}, "intervention": {"intervention"}}),
    ],
)
def test_an_ablation_keeps_its_streams_on_both_sides(dialogues, ablation, streams):
    config = DataConfig("dialogues", ablation, validation=0.4)
    found = prepare(Sources((dialogues,)), config).models
    assert {name: {s.stream for s in one.train} for name, one in found.items()} == streams
    assert {name: {s.stream for s in one.held_out} for name, one in found.items()} == streams


def test_a_policys_replies_replace_those_of_the_data_but_not_in_the_ablation(dialogues, tmp_path):
    made = turns("d1#3", "What else could it be?")
    file = write(tmp_path / "a.jsonl", made)
    with_policy = prepare(Sources((dialogues,), (file,)), DIALOGUES).models["model"].train
    without = DataConfig("dialogues", "no_augmented")
    plain = prepare(Sources((dialogues,), (file,)), without).models["model"].train
    assert [s.id for s in with_policy if s.augmented] == ["mine:d1#3/policy"]
    assert "mine:d1#3/reply" not in ids(with_policy)
    assert "mine:d1#3/reply" in ids(plain)
    assert len(plain) == len(with_policy) == 20
    with pytest.raises(ConfigError, match="dialogues"):
        prepare(Sources((dialogues,), (file,)), DataConfig("labels"))


def test_histories_that_do_not_fit_are_cut_and_counted_and_nothing_else_is(dialogues):
    def fits(sample):
        return "Hello from" not in sample.messages[-1].content or sample.id.endswith("#1/labels")

    read = prepare(Sources((dialogues,)), DIALOGUES, fits)
    assert read.about["cut_histories"]["samples"] > 0
    cut = next(s for s in read.models["model"].train if s.id == "mine:d0#3/labels")
    assert "Hello from" not in cut.messages[-1].content
    assert "Hello d0." in cut.messages[-1].content
    whole = prepare(Sources((dialogues,)), DIALOGUES)
    assert whole.about["cut_histories"] == {"samples": 0, "turns": 0}


def test_rows_of_other_kinds_are_read_and_bad_lines_counted(tmp_path):
    triads = tmp_path / "t.jsonl"
    triads.write_text(
        '{"instruction": "A", "output": "B"}\nno json\n{"instruction": "C"}\n', encoding="utf-8"
    )
    read = prepare(Sources((str(triads),)), DataConfig("triads"))
    assert ids(read.models["model"].train) == ["t:row-1"]
    assert (read.about["refused"], sum(read.about["left_out"].values())) == (1, 1)
    assert read.files == (triads,)
    own = tmp_path / "s.jsonl"
    write_samples(own, [Sample("x", "plain", (Message("user", "A"),), "B")])
    assert ids(prepare(Sources((str(own),)), DataConfig()).models["model"].train) == ["x"]


def test_ids_that_occur_twice_and_sources_without_samples_stop_the_run(tmp_path):
    twice = write(tmp_path / "t.jsonl", *2 * [{"id": "a", "instruction": "A", "output": "B"}])
    with pytest.raises(DataError, match="id of its own"):
        prepare(Sources((twice,)), DataConfig("triads"))
    empty = write(tmp_path / "e.jsonl", {"instruction": "A"})
    with pytest.raises(DataError, match=r"no sample to learn from.*without instruction"):
        prepare(Sources((empty,)), DataConfig("triads"))
    with pytest.raises(ConfigError, match="no data"):
        Sources(())


def test_every_key_of_the_data_changes_what_is_learned(tmp_path, dialogues):
    triads = write(tmp_path / "t.jsonl", {"instruction": "A", "output": "B"})

    def made(source, config, length=None):
        fits = length and (lambda s: len(s.messages[-1].content) < length)
        return prepare(Sources((source,)), config, fits).models

    plain = made(dialogues, DIALOGUES)
    effects = {
        "kind": made(dialogues, DataConfig("labels")) != plain,
        "ablation": made(dialogues, DataConfig("dialogues", "no_diagnosis")) != plain,
        "taxonomy": made(dialogues, DataConfig("dialogues", taxonomy="beck-8")) != plain,
        "system": made(triads, DataConfig("triads", system="Be kind."))
        != made(triads, DataConfig("triads")),
        "validation": made(dialogues, DataConfig("dialogues", validation=0.4)) != plain,
        "max_length": made(dialogues, DIALOGUES, 60) != plain,
    }
    assert set(effects) == {f.name for f in fields(DataConfig)}
    assert all(effects.values())


def test_a_preset_is_read_with_its_changes(tmp_path):
    changed = read_preset("copollm", ["steps.epochs=1", "load.precision=fp16", "seed=7"])
    assert (changed.steps.epochs, changed.load.precision, changed.seed) == (1, "fp16", 7)
    assert read_preset("copollm").steps.epochs == 3
    targets = read_preset("copollm", ['lora.targets=["q_proj"]']).lora.targets
    assert targets == ("q_proj",)
    for change, words in (
        ("steps.epoch=1", 'did you mean "epochs"'),
        ("steps.steps=5", "epochs or steps"),
        ("seed", "changes nothing"),
        ("about.a=1", "no table"),
        ("lora.rank=big", "int"),
    ):
        with pytest.raises(ConfigError, match=words):
            read_preset("copollm", [change])
    with pytest.raises(ConfigError, match="cannot read"):
        read_preset(str(tmp_path / "none.toml"))
