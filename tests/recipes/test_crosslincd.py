"""CrossLinCD's tables without training: who is trained on what, and what is counted."""

import json
import os
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import FakeDetector
from tests.recipes.test_evaluate_matrix import FIRST, sources
from tests.recipes.tiny import metrics_of, row, text_of, write_own
from untwist.cli.evaluate_crosslincd import crosslincd as crosslincd_command
from untwist.cli.train_llm import llm
from untwist.errors import ConfigError, DataError
from untwist.evaluate import scores
from untwist.recipes import crosslincd
from untwist.recipes.crosslincd import asked_as_tuned
from untwist.recipes.crosslincd_answers import EVERY, Said, questions
from untwist.recipes.crosslincd_config import (
    TABLES,
    Asked,
    Crosslincd,
    made_tiny,
    models_of,
    read,
    targets_of,
)
from untwist.recipes.crosslincd_report import STAMP, called, figures, paper_figure
from untwist.recipes.crosslincd_rows import read_corpora
from untwist.recipes.crosslincd_scores import f1_scores, oracle_threshold
from untwist.recipes.rows import COLUMNS
from untwist.recipes.runfolder import to_toml
from untwist.taxonomy import Distortion
from untwist.tune import preset_names

RUNS = Path(__file__).parents[2] / "runs"
D = Distortion
PLACE = {d: k for k, d in enumerate(COLUMNS)}
FOUR = ("socialcd", "reframing", "therapist-part", "therapist-whole")


def chances(texts, learnt, seed=0):
    """By letters: "a" is labeling, "b" fortune telling; the seed moves nothing but the scale."""
    found = np.full((len(texts), len(COLUMNS)), np.nan, np.float32)
    found[:, [PLACE[d] for d in learnt]] = 0.1
    for line, text in zip(found, texts, strict=True):
        sure = 0.6 + 0.01 * (seed % 10)
        line[PLACE[D.LABELING]] = sure if "a" in text.lower() else 0.2
        line[PLACE[D.FORTUNE_TELLING]] = sure if "b" in text else 0.2
    return found


def fake(parameters=5_000_000, learnt=(D.LABELING, D.FORTUNE_TELLING, D.BLAMING)):
    """In place of all trainings: what a table asks for, answered by `chances`."""

    def train_all(config, corpora, models, targets, progress):
        found = {}
        for split in config.splits:
            for seed in config.seeds:
                for model in models:
                    asked = questions(model, config.settings(model.role), targets)
                    given = {}
                    for q in asked:
                        places = (
                            corpora.places(q.corpus, split, "test")
                            if q.part == "test"
                            else corpora.learnt(q.corpus, split, q.part, model.lang)
                        )
                        texts = [corpora.rows[q.corpus].utterances[p].text for p in places]
                        given[str(q)] = chances(texts, learnt, seed)
                    about = {
                        "parameters": parameters, "epochs": 3, "best_epoch": 2, "loss": [0.5, 0.4],
                        "texts": dict.fromkeys(model.corpora, 8), "truncated": {},
                    }  # fmt: skip
                    found[split, model.key, seed] = Said(given, about)
        return found

    return train_all


@pytest.fixture
def table(tmp_path, no_pictures, monkeypatch):
    def go(number=2, name="run", corpora=None, trained=None, **changes):
        monkeypatch.setattr(crosslincd, "train_all", trained or fake())
        options = {
            "out": str(tmp_path / name / "out"),
            "table": number,
            "corpora": corpora or sources(tmp_path / name),
            "teacher_corpus": "",
            "resamples": 30,
            "splits": ("published",),
        }
        return crosslincd.run(Crosslincd(**(options | changes)))

    return go


def cell(metrics, model, target, split="published"):
    (found,) = [
        c
        for c in metrics["cells"]
        if (c["split"], c["model"], c["target"]) == (split, model, target)
    ]
    return found


def micro(one, rule="validation"):
    return one["scores"][rule]["micro_f1"]["mean"]


# what stands in which table


def test_each_table_has_the_columns_and_rows_of_the_paper():
    keys = {}
    for number in TABLES:
        config = Crosslincd("out", table=number)
        models = models_of(config, config.sources, called())
        keys[number] = [m.key for m in models]
        printed = figures(number)
        assert {t.key for t in targets_of(config, config.sources, called())} <= set(printed["rows"])
        trained = [c for c in printed["columns"] if not c.startswith(("LLaMA", "GLM", "Qwen"))]
        assert set(trained) <= set(keys[number])
    assert len(keys[2]) == 8
    assert keys[3] == ["paper", "round_robin", "proportional", "temperature", "paper, taught"]
    assert [len(key.split("+")) for key in keys[4]] == [1, 2, 3, 4]
    assert keys[5] == ["en", "zh", "both"]


def test_a_column_says_whose_settings_it_has_and_the_papers_names_stand_above_it():
    single, taught = models_of(Crosslincd("out"), FOUR, called())[:2]
    assert (single.title, single.role, single.taught) == ("M(D_s)", "single", False)
    assert (taught.title, taught.role, taught.taught) == ("M(D_s), taught", "student", True)
    three = models_of(Crosslincd("out", table=3), FOUR, called())
    assert [m.sampling for m in three][:4] == [m.key for m in three][:4]
    assert three[-1].role == "student"
    five = models_of(Crosslincd("out", table=5), ("crosslincd",), called())
    assert [m.lang for m in five] == ["en", "zh", "both"]


def test_the_papers_figures_are_its_own_means():
    for number in (2, 3, 4):
        rows = figures(number)["rows"]
        for column, mean in enumerate(rows["mean"]):
            values = [rows[name][column] for name in FOUR]
            # printed with four places, and rounded before or after
            assert np.mean(values) == pytest.approx(mean, abs=2e-4), (number, column)
    assert paper_figure(3, "paper, taught", "mean") == 0.5892
    assert paper_figure(5, "zh", "en") is None
    assert paper_figure(2, "mine", "socialcd") is None


def test_a_model_is_asked_by_its_own_head_where_it_has_one_and_by_all_elsewhere():
    config = Crosslincd("out", table=4)
    second = models_of(config, FOUR, {})[1]
    targets = targets_of(config, FOUR, {})
    asked = {str(q) for q in questions(second, config.student, targets)}
    assert asked == {
        "socialcd|test|socialcd", "socialcd|validation|socialcd",
        "reframing|test|reframing", "reframing|validation|reframing",
        # never learnt from: all heads answer, and their threshold comes from what was learnt from
        f"therapist-part|test|{EVERY}", f"therapist-whole|test|{EVERY}",
        f"socialcd|validation|{EVERY}", f"reframing|validation|{EVERY}",
    }  # fmt: skip


# settings


def test_settings_change_all_models_or_one_and_presets_stand_below(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(
        'seeds = [1, 2, 3]\n[encoder]\nprecision = "bf16"\nepochs = 7\n[multi]\nepochs = 9\n'
        '[[llm]]\nname = "LLaMA3-8B"\nsource = "llm:llama3"\n',
        encoding="utf-8",
    )
    config = read(file, out="there", table=3)
    assert (config.out, config.table, config.seeds) == ("there", 3, (1, 2, 3))
    assert (config.multi.epochs, config.single.epochs) == (9, 7)
    assert {config.settings(r).precision for r in ("single", "multi", "teacher")} == {"bf16"}
    assert (config.multi.heads, config.single.dropout) == ("per_corpus", 0.2)
    assert config.llm == (Asked("LLaMA3-8B", "llm:llama3"),)
    (tmp_path / "again.toml").write_text(to_toml(config), encoding="utf-8")
    assert read(tmp_path / "again.toml") == config


def test_the_file_that_ships_is_the_presets_at_three_seeds():
    config = read(RUNS / "crosslincd.toml", out="o")
    assert len(config.seeds) >= 3
    assert config.single.encoder == "FacebookAI/xlm-roberta-large"
    assert (config.single.learning_rate, config.single.batch, config.single.threshold) == (
        1e-5, 16, 0.25,
    )  # fmt: skip
    assert config.splits == ("published", "grouped")


@pytest.mark.parametrize("name", [*(f"table{n}" for n in TABLES), "tiny", "llm"])
def test_the_runs_say_what_the_commands_know(name):
    file = RUNS / f"crosslincd_{name}.sh"
    assert os.access(file, os.X_OK)
    text = "\n".join(
        line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")
    )
    if name[-1].isdigit():
        assert f"runs/crosslincd.toml --table {name[-1]}" in text
        assert f"results/crosslincd-{name}" in text
    for words, command in (("evaluate crosslincd", crosslincd_command), ("train llm", llm)):
        for line in re.findall(rf"untwist {words}(.*?)(?:> |\n +\w|\n\w|\Z)", text, re.DOTALL):
            known = {option for p in command.params for option in p.opts}
            assert set(re.findall(r"--[a-z-]+", line)) <= known
    if name == "llm":
        asked = [preset for preset in preset_names() if f" {preset} " in text]
        assert asked == [preset for preset in preset_names() if preset.startswith("crosslincd")]
        keys = re.findall(r"(\w+) = ", text.replace("\\n", " "))
        assert set(keys) == {f.name for f in fields(Asked)} - {"split"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sampling = 1", 'unknown key "sampling"; did you mean "samplings"'),
        ("[encoder]\nepoch = 1", 'encoder: unknown key "epoch"; did you mean "epochs"'),
        ('[multi]\nheads = "each"', "multi: heads"),
        ("encoder = 3", "encoder must be a table"),
        ("table = 6", "table is 6: give 2, 3, 4 or 5"),
        ('corpora = ["open"]', "at least two corpora"),
        ("seeds = [1, 1]", "one seed, each once"),
        ("splits = []", "one split"),
        ('samplings = ["paper", "paper"]', "one twice"),
        ("resamples = 0", "resamples"),
        ("limit = -1", "limit"),
        ('table = 4\nteacher_corpus = ""', "Table 4 is about a teacher"),
        (
            '[[llm]]\nname = "a"\nsource = "x"\n[[llm]]\nname = "a"\nsource = "y"',
            "one training twice",
        ),
        ('[[llm]]\nname = "a"\nsource = "x"\ntable = 2', "for Tables 3 and 5"),
        ("= 1", "is not TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, text, message):
    (tmp_path / "c.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read(tmp_path / "c.toml", out="out")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        read(tmp_path / "none.toml", out="out")


def test_a_tiny_table_changes_every_model_and_reads_few_texts():
    config = made_tiny(Crosslincd("out"))
    roles = ("single", "multi", "teacher", "student", "aligned")
    assert {config.settings(role).epochs for role in roles} == {2}
    assert {config.settings(role).encoder for role in roles} == {"tiny random weights"}
    assert config.limit == 64
    assert config.tiny
    assert config.multi.heads == "per_corpus"
    assert made_tiny(Crosslincd("out", limit=5)).limit == 5


# what is counted


def test_a_cell_is_a_hand_count_over_the_labels_of_the_tested_corpus(table):
    path, metrics = table()
    assert metrics == metrics_of(path)
    # first: carries labeling and fortune telling; t1 and t2 are hit
    assert micro(cell(metrics, "first", "first")) == 1
    # second, test: labeling hit; t2 is blaming and said to be fortune telling; t3 is hit
    across = cell(metrics, "first", "second")
    assert micro(across) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert (across["n"], across["in_domain"], across["tuned_on"]) == (3, False, ["first"])
    low, high = across["scores"]["validation"]["micro_f1"]["interval"]
    assert low <= micro(across) <= high
    mean = cell(metrics, "first", "mean")
    assert micro(mean) == pytest.approx((1 + 2 / 3) / 2)


def test_the_threshold_comes_from_validation_rows_the_papers_and_the_oracles_stand_beside(table):
    _, metrics = table()
    one = cell(metrics, "first", "first")
    # by seed 42, 43, 44 the sure ones have 0.62, 0.63, 0.64
    assert one["thresholds"]["validation"] == [
        pytest.approx(t, abs=1e-5) for t in (0.62, 0.63, 0.64)
    ]
    assert one["thresholds"]["paper"] == [0.25] * 3
    across = cell(metrics, "first", "second")
    for rule in ("validation", "paper"):
        assert micro(across, "oracle") >= micro(across, rule)


def test_a_test_label_changes_no_threshold_but_the_oracles(table, tmp_path):
    _, before = table()
    other = [r | {"labels": ["labeling"]} if r["id"] == "t2" else r for r in FIRST]
    _, after = table(name="turned", corpora=sources(tmp_path / "turned", first=other))
    for one, two in zip(before["cells"], after["cells"], strict=True):
        if "thresholds" in one:
            for rule in ("validation", "paper"):
                assert one["thresholds"][rule] == two["thresholds"][rule]
    assert micro(cell(after, "first", "first")) < 1


def test_a_label_that_was_never_learnt_is_never_heard_and_always_missed(table):
    # at the lowest threshold everything that was learnt is heard: blaming was not
    gold = np.zeros((2, len(COLUMNS)), bool)
    gold[:, PLACE[D.BLAMING]] = gold[0, PLACE[D.LABELING]] = True
    chance = chances(["aa", "cc"], (D.LABELING, D.FORTUNE_TELLING))
    assert oracle_threshold(gold, chance.astype(float), np.ones_like(gold)) == pytest.approx(0.6)
    # second, test: t1 hit, t2 fortune telling for blaming, t3 hit; not hearing blaming costs a miss
    _, metrics = table(trained=fake(learnt=(D.LABELING, D.FORTUNE_TELLING)))
    paper = cell(metrics, "second", "second")["scores"]["paper"]["micro_f1"]["mean"]
    assert paper == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))


@pytest.mark.parametrize("seed", range(5))
def test_f1_is_that_of_every_other_report(seed):
    rng = np.random.default_rng(seed)
    gold, guess, mask = (rng.random((12, 6)) < share for share in (0.2, 0.3, 0.7))
    gold[:, 0] = guess[:, 1] = mask[:, 2] = False
    known = scores(gold, guess, mask)
    assert f1_scores(gold, guess, mask) == (
        pytest.approx(known.micro_f1), pytest.approx(known.macro_f1.value),
    )  # fmt: skip
    nothing = np.zeros_like(gold)
    assert f1_scores(nothing, nothing, mask) == (None, None)
    assert scores(nothing, nothing, mask).micro_f1 is None


def test_scores_are_means_over_seeds_with_their_spread(table):
    _, metrics = table()
    found = cell(metrics, "first", "first")["scores"]["validation"]["micro_f1"]
    assert found["each"] == [1, 1, 1]
    assert (found["mean"], found["sd"]) == (1, 0)
    path, once = table(name="once", seeds=(7,))
    assert cell(once, "first", "first")["scores"]["validation"]["micro_f1"]["sd"] is None
    assert "Fewer than three seeds" in text_of(path)


def test_rows_whose_twin_was_learnt_from_are_counted_as_seen(table):
    path, metrics = table(3, samplings=("paper",))
    # "AAAA 0aaa!" of the second's test rows stands among the training rows of the first
    assert cell(metrics, "paper", "second")["seen"] == 1
    assert "(1 of 3 seen)" in text_of(path)
    lines = {line["corpus"]: line["seen"] for line in metrics["leakage"]}
    assert lines == {"first": [[0, 2], [1, 3]], "second": [[0, 2], [0, 3]]}


def test_the_grouped_split_learns_from_nothing_whose_source_is_tested_elsewhere(table):
    # files are split by themselves: "aaaa 0aaa" of the first is trained on, its twin of the second
    # is tested
    path, metrics = table(3, samplings=("paper",), splits=("published", "grouped"))
    assert cell(metrics, "paper", "second")["seen"] == 1
    assert cell(metrics, "paper", "second", "grouped")["seen"] == 0
    assert metrics["left_out"] == {"first": 1, "second": 0}
    assert "held out in another corpus: first 1 rows." in text_of(path)
    _, alone = table(3, "alone", samplings=("paper",))
    assert alone["left_out"] == {"first": 0, "second": 0}


def test_what_a_teacher_learnt_from_counts_as_seen_too(table, tmp_path):
    rows = [
        row("k1", "warm soup on a cold day", "train", D.LABELING),
        row("k2", "bbbb t bbb", "train", D.FORTUNE_TELLING),
        row("k3", "two at once", "train", D.LABELING, D.BLAMING),
        row("k4", "no label here", "validation"),
        row("k5", "some more of it", "validation", D.BLAMING),
        row("k6", "a last one of it", "test", D.BLAMING),
    ]
    teacher = write_own(tmp_path, rows, "teacher.jsonl")
    path, metrics = table(2, teacher_corpus=teacher)
    # t2 of the first corpus stands among the teacher's training rows
    assert cell(metrics, "first", "first")["seen"] == 0
    assert cell(metrics, "first, taught", "first")["seen"] == 1
    assert metrics["teacher"] == "teacher"
    assert "Teacher: learnt from teacher (the paper's is D_c, C2D2)." in text_of(path)
    assert "teacher (teacher)" in text_of(path)


def test_floors_stand_beside_and_need_no_test_row(table):
    path, metrics = table()
    below = {f["target"]: f for f in metrics["floors"]}
    # both labels on both rows: 2 of 4 are right
    assert below["first"]["all"] == pytest.approx(2 * 2 / (2 + 4))
    # 5 of 10 are labeling, 5 blaming: one of them alone hits one of three rows
    assert below["second"]["constant"] == pytest.approx(2 * 2 / (2 * 2 + 4 + 1))
    assert "| best constant answer | labels by frequency | all labels |" in text_of(path)


def test_both_splits_stand_in_the_report_with_the_papers_figures(table):
    path, metrics = table(splits=("published", "grouped"))
    text = text_of(path)
    for words in ("## The published split", "## The grouped split", "## The paper's figures",
                  "no result, and what the paper's programs print", "0.7452"):  # fmt: skip
        assert words in text
    assert {c["split"] for c in metrics["cells"]} == {"published", "grouped"}
    assert "No taught models: they need a teacher_corpus." in text


# what is no result says so


def unstamped(text):
    """What follows each table of a report that bears no stamp."""
    blocks = text.split("\n\n")
    notes = [blocks[k + 1] for k, block in enumerate(blocks) if block.startswith("| ")]
    assert len(notes) > 5
    return [note for note in notes if not note.startswith(f"**{STAMP}**.")]


@pytest.mark.parametrize("number", [2, 3])
def test_every_table_by_a_tiny_model_says_that_it_is_no_result_and_the_papers_does_not(
    table, number
):
    path, metrics = table(number, trained=fake(parameters=40_000))
    assert metrics["stamp"] == STAMP
    (papers,) = unstamped(text_of(path))
    assert papers.startswith("CrossLinCD (2025), Table")
    assert papers.endswith("not made here.")
    assert text_of(path, "report.html").count(STAMP) > 8


def test_a_model_of_any_size_that_was_made_tiny_is_stamped_and_a_whole_one_is_not(table):
    assert table(tiny=True)[1]["stamp"] == STAMP
    path, metrics = table(name="whole")
    assert metrics["stamp"] == ""
    assert STAMP not in text_of(path)


# the aligned corpus by language


def aligned_rows():
    return [
        *(row(f"a{n}", f"aaaa word {n}", "train", D.LABELING) for n in range(3)),
        *(row(f"z{n}", f"我真是没用的人{n}啊", "train", D.LABELING) for n in range(3)),
        row("v1", "aa of v", "validation", D.LABELING),
        row("v2", "我又一次没用了", "validation", D.BLAMING),
        row("t1", "aa of t", "test", D.LABELING),
        row("t2", "bb of t", "test", D.LABELING),
        row("t3", "他说我没用", "test", D.LABELING),
    ]


def test_the_aligned_corpus_is_learnt_and_tested_by_language(table, tmp_path):
    corpus = write_own(tmp_path, aligned_rows(), "both.jsonl")
    path, metrics = table(5, aligned_corpus=corpus)
    assert [cell(metrics, "both", t)["n"] for t in ("en", "zh", "both")] == [2, 1, 3]
    # the English model's threshold is 0.62 and hears t1 alone; "bb" is another label
    assert micro(cell(metrics, "en", "en")) == pytest.approx(2 * 1 / (1 + 1 + 2))
    # no Chinese text has an "a" in it: the label of v2 is said with 0.1, by which all is heard
    assert cell(metrics, "zh", "zh")["thresholds"]["validation"] == [pytest.approx(0.1)] * 3
    assert not [c for c in metrics["cells"] if c["target"] == "mean"]
    assert "No language models: name them in [[llm]]." in text_of(path)


def test_a_language_without_rows_is_refused(table, tmp_path):
    english = [r for r in aligned_rows() if r["id"][0] not in "z"]
    corpus = write_own(tmp_path, english, "both.jsonl")
    with pytest.raises(DataError, match='"zh": no label in the train part'):
        table(5, aligned_corpus=corpus)


# language models


def predictions(folder, name, lines):
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def test_a_language_models_answers_are_a_column_and_what_it_did_not_answer_is_counted(
    table, tmp_path
):
    folder = tmp_path / "llama"
    predictions(
        folder, "first", [{"id": "t1", "labels": ["labeling"]}, {"id": "t2", "unscored": "no JSON"}]
    )
    predictions(
        folder, "second",
        [{"id": "t1", "labels": ["labeling"]}, {"id": "t2", "labels": ["blaming"]},
         {"id": "t3", "labels": []}],
    )  # fmt: skip
    given = (Asked("LLaMA3-8B", str(folder), "published"), Asked("GLM", str(folder), "grouped"))
    path, metrics = table(3, samplings=("paper",), llm=given)
    first, second = (cell(metrics, "LLaMA3-8B", name) for name in ("first", "second"))
    # one hit, and the label of the row without an answer is missed
    assert (micro(first), first["unscored"]) == (pytest.approx(2 / 3), [1])
    assert (micro(second), second["unscored"]) == (pytest.approx(2 * 2 / (2 * 2 + 1)), [0])
    assert "(1 of 2 unscored)" in text_of(path)
    assert list(first["scores"]) == ["validation"]
    # by a split that is not asked for: not there
    assert not [c for c in metrics["cells"] if c["model"] == "GLM"]
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    assert any(name.endswith("second.jsonl") for name in manifest["inputs"])


def test_a_language_model_is_asked_about_test_rows_alone(table, tmp_path, monkeypatch):
    detector = FakeDetector({"aaaa": D.LABELING})
    monkeypatch.setattr(crosslincd, "train_all", fake())
    config = Crosslincd(
        str(tmp_path / "out"), 3, corpora=sources(tmp_path), teacher_corpus="", resamples=20,
        splits=("published",), samplings=("paper",), llm=(Asked("L", "llm:x", "published"),),
    )  # fmt: skip
    _, metrics = crosslincd.run(config, asking=lambda one: detector)
    assert detector.seen == ["aaaa t aaa", "bbbb t bbb", "AAAA 0aaa!", "bbbb bbb", "bbbbb bbbb"]
    assert micro(cell(metrics, "L", "first")) == pytest.approx(2 * 1 / (1 + 2))
    with pytest.raises(ConfigError, match="nothing opens llm:x"):
        crosslincd.run(replace(config, out=str(tmp_path / "other")))


def test_trainings_of_one_language_model_are_one_column_with_a_spread(table, tmp_path):
    for seed, labels in ((1, ["labeling"]), (2, [])):
        lines = [{"id": "t1", "labels": labels}, {"id": "t2", "labels": ["fortune_telling"]}]
        predictions(tmp_path / str(seed), "first", lines)
        more = [{"id": id, "labels": []} for id in ("t1", "t2", "t3")]
        predictions(tmp_path / str(seed), "second", more)
    given = tuple(Asked("G", str(tmp_path / str(s)), "published", seed=s) for s in (1, 2))
    other = Asked("H", str(tmp_path / "nowhere"), "published", table=5)
    _, metrics = table(3, samplings=("paper",), llm=(*given, other))
    found = cell(metrics, "G", "first")["scores"]["validation"]["micro_f1"]
    assert found["each"] == [1, pytest.approx(2 / 3)]
    assert found["sd"] > 0
    assert cell(metrics, "G", "mean")["scores"]["validation"]["micro_f1"]["mean"] == pytest.approx(
        (1 + 2 / 3) / 2 / 2
    )


def test_a_model_tuned_on_names_is_asked_for_the_labels_of_the_corpus():
    from untwist.detect import PromptedDetector
    from untwist.llm import ScriptedModel

    plain = PromptedDetector(ScriptedModel([]))
    named = replace(plain, question="names")
    assert asked_as_tuned(named, "reframing-14").taxonomy == "reframing-14"
    assert asked_as_tuned(named, None) is named
    assert asked_as_tuned(plain, "reframing-14") is plain


def test_predictions_without_labels_are_refused(table, tmp_path):
    for name, ids in (("first", ("t1", "t2")), ("second", ("t1", "t2", "t3"))):
        lines = [{"id": id, "probabilities": {"labeling": 0.5}} for id in ids]
        predictions(tmp_path / "p", name, lines)
    with pytest.raises(DataError, match="probabilities alone"):
        table(3, llm=(Asked("P", str(tmp_path / "p"), "published"),))


# what stops a run before it begins


def test_a_folder_in_use_stops_a_run_before_anything_is_read(table, tmp_path):
    (tmp_path / "run" / "out").mkdir(parents=True)
    (tmp_path / "run" / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="not empty"):
        table(corpora=("nowhere.jsonl", "either.jsonl"))


def test_a_corpus_with_nothing_to_tune_on_is_refused(table, tmp_path):
    silent = [r | {"labels": []} if r["split"] == "validation" else r for r in FIRST]
    with pytest.raises(DataError, match="no label in the validation part"):
        table(corpora=sources(tmp_path / "bare", first=silent))


def test_a_teacher_that_is_not_there_is_said_to_be_one_that_can_be_left_out(table, tmp_path):
    with pytest.raises(
        DataError, match=r'nowhere.*leave the taught models out: teacher_corpus = ""'
    ):
        table(2, teacher_corpus=str(tmp_path / "nowhere.jsonl"))
    with pytest.raises(DataError, match=r"nowhere(?!.*taught models out)"):
        table(4, teacher_corpus=str(tmp_path / "nowhere.jsonl"))


def test_a_corpus_that_is_tested_on_cannot_teach(table, tmp_path):
    corpora = sources(tmp_path / "both")
    with pytest.raises(DataError, match="second is tested on, so it cannot teach"):
        table(2, corpora=corpora, teacher_corpus=corpora[1])


def test_a_teacher_whose_texts_all_have_several_labels_is_refused(table, tmp_path):
    rows = [
        row(f"k{n}", f"{n} two at once {n}", part, D.LABELING, D.BLAMING)
        for n, part in enumerate(("train", "validation", "test"))
    ]
    with pytest.raises(DataError, match="it cannot teach"):
        table(2, teacher_corpus=write_own(tmp_path, rows, "teacher.jsonl"))


def test_few_texts_are_taken_from_the_whole_of_a_part(tmp_path):
    config = Crosslincd("o", corpora=sources(tmp_path), teacher_corpus="", limit=2)
    corpora = read_corpora(config, lambda stage, done, total: None)
    # aaaa 0 to 3, then bbbb 0 to 3: two texts are the first and the last
    places = corpora.learnt("first", "published", "train")
    assert [corpora.rows["first"].ids[p] for p in places] == ["a0", "b3"]
    assert len(corpora.places("second", "published", "test")) == 3


@pytest.mark.parametrize("number", TABLES)
def test_the_tables_that_are_kept_were_made_tiny_and_say_so(number):
    folder = RUNS.parent / "results" / "crosslincd-tiny" / f"table{number}"
    metrics = metrics_of(folder)
    assert (metrics["table"], metrics["stamp"], len(metrics["seeds"])) == (number, STAMP, 3)
    assert {run["parameters"] for run in metrics["runs"]} == {48_896}
    assert read(folder / "config.toml").tiny
    assert len(unstamped(text_of(folder))) == 1
