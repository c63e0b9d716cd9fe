"""Scoring the screen on the public risk corpora, on made-up rows in their formats."""

import builtins
import json
import os
import re
from pathlib import Path

import pytest

from tests.tiny_corpora import write_risk_corpora
from untwist.data import Reading, corpora_of
from untwist.errors import ConfigError, DataError
from untwist.recipes import risk_sets
from untwist.recipes.evaluate_risk import EvaluateRisk, run
from untwist.schema import Screening
from untwist.taxonomy import Acuity, Risk

RISK = corpora_of("risk")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def corpora(tmp_path):
    return write_risk_corpora(tmp_path / "corpora")


def score(tmp_path, corpora, *names, second=None, labels=None, figures=False):
    file = ""
    if labels is not None:
        path = tmp_path / "second.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in labels), encoding="utf-8")
        file = str(path)
    names = names or RISK
    out = str(tmp_path / "out")
    reading = Reading(str(corpora), ("all",), unverified=True)
    config = EvaluateRisk(out, reading, names, file, resamples=50, figures=figures)
    return run(config, second)


def rate(yardstick, reader, cut):
    (found,) = [r for r in yardstick["rates"] if (r["reader"], r["cut"]) == (reader, cut)]
    return tuple(found[key] for key in ("tp", "fp", "fn", "tn"))


def test_rates_follow_the_corpus_own_labels(tmp_path, corpora):
    _, metrics = score(tmp_path, corpora, "psysuicide")
    first, second = metrics["corpora"]["psysuicide"]["yardsticks"]
    assert (first["n"], first["yes"], first["left_out"]) == (5, 4, 0)
    assert (second["n"], second["yes"], second["left_out"]) == (4, 3, 1)
    hit = rate(second, "rules", "high")
    assert hit[0] >= 1
    assert hit[2] >= 1, "the apples are labelled ideation and no rule can hear it"
    assert rate(first, "always high", "") == (4, 1, 0, 0)
    assert rate(first, "always none", "") == (0, 0, 4, 1)
    assert rate(first, "keyword list", "") == (2, 0, 2, 1)


def test_every_yardstick_of_sos_1k_reads_its_own_column(tmp_path, corpora):
    _, metrics = score(tmp_path, corpora, "sos_1k")
    yes = {y["name"]: y["yes"] for y in metrics["corpora"]["sos_1k"]["yardsticks"]}
    assert yes == {"level 4 or more": 3, "level 6 or more": 2, "marked high": 1}


def test_a_second_reader_can_only_raise_and_is_scored_beside_the_rules(tmp_path, corpora):
    def gloomy(text, own):
        return Screening(Risk.HIGH, (Acuity.PASSIVE,), ("gloomy",))

    _, metrics = score(tmp_path, corpora, "sos_4k", second=gloomy)
    main = metrics["corpora"]["sos_4k"]["yardsticks"][0]
    assert rate(main, "rules and reader", "high") == (2, 2, 0, 0)
    assert rate(main, "rules", "high")[1] == 0
    assert set(metrics["corpora"]["sos_4k"]["accepted"]) == {"rules", "rules and reader"}


def test_a_reddit_user_has_the_level_of_the_highest_post(tmp_path, corpora):
    _, metrics = score(tmp_path, corpora, "reddit_cssrs")
    users = metrics["corpora"]["reddit_cssrs"]
    assert (users["n"], users["texts"]) == (3, 6)
    assert rate(users["yardsticks"][0], "rules", "high") == (1, 0, 0, 2)


def test_levels_are_counted_by_label(tmp_path, corpora):
    _, metrics = score(tmp_path, corpora, "sos_1k")
    classes = {c["class"]: c for c in metrics["corpora"]["sos_1k"]["classes"]["rules"]}
    assert classes["4"]["levels"]["high"] == 1
    assert classes["low"]["n"] == 3
    assert classes["10"]["n"] == 0
    assert all(sum(c["levels"].values()) == c["n"] for c in classes.values())


def test_what_the_corpora_share_and_where_labels_depart_is_counted(tmp_path, corpora):
    _, metrics = score(tmp_path, corpora)
    assert metrics["departures"]["sos_1k"] == {
        "high below level 6": 0, "low at level 6 or more": 1, "n": 4,
    }  # fmt: skip
    assert metrics["departures"]["sos_1k and sos_4k"] == {
        "shared": 2,
        "other level": 1,
        "other side of level 4": 0,
        "test of sos_1k in train of sos_4k": 1,
    }
    pairs = {tuple(p["corpora"]): p["exact"] for p in metrics["shared"]["between"]}
    assert pairs["sos_1k", "suicide_binary_zh"] == 2


def test_second_labels_are_compared_with_the_corpus_and_the_screen_with_both(tmp_path, corpora):
    labels = [
        {"corpus": "sos_1k", "id": "1", "crisis": True},
        {"corpus": "sos_1k", "id": "2", "crisis": False},
        {"corpus": "sos_1k", "id": "4", "crisis": False},
        {"corpus": "sos_4k", "id": "train-2", "crisis": False},
        {"corpus": "psysuicide", "id": "validation-1", "crisis": True},
    ]
    folder, metrics = score(tmp_path, corpora, labels=labels)
    main = metrics["second"]["sos_1k"]["yardsticks"][0]
    assert (main["both"], main["first_only"], main["second_only"], main["neither"]) == (1, 1, 0, 1)
    assert main["against"]["where both agree"]["n"] == 2
    assert rate(main["against"]["where both agree"], "rules", "high") == (1, 0, 0, 1)
    assert (metrics["second_twice"]["hits"], metrics["second_twice"]["of"]) == (0, 1)
    assert set(metrics["second"]) == {"sos_1k", "sos_4k", "psysuicide"}
    assert (folder / "second-labels.jsonl").read_text() == (tmp_path / "second.jsonl").read_text()


def test_a_reddit_post_is_found_by_its_own_id_and_judged_alone(tmp_path, corpora):
    labels = [{"corpus": "reddit_cssrs", "id": "user-0/1", "crisis": False}]
    _, metrics = score(tmp_path, corpora, "reddit_cssrs", labels=labels)
    main = metrics["second"]["reddit_cssrs"]["yardsticks"][0]
    assert main["first_only"] == 1
    assert rate(main["against"]["the corpus"], "rules", "high") == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"corpus": "sos_1k", "id": "99", "crisis": True}], "name no text"),
        ([{"corpus": "sos_1k", "id": "1", "crisis": "yes"}], r"jsonl:1"),
        ([{"corpus": "elsewhere", "id": "1", "crisis": True}], r"jsonl:1"),
        ([{"corpus": "sos_1k", "id": "1", "crisis": True}] * 2, r"jsonl:2.*already"),
    ],
)
def test_a_second_label_that_cannot_be_used_stops_the_run(tmp_path, corpora, rows, message):
    with pytest.raises(DataError, match=message):
        score(tmp_path, corpora, "sos_1k", labels=rows)


def test_an_unknown_corpus_is_named_with_the_nearest(tmp_path, corpora):
    with pytest.raises(ConfigError, match=r'"sos_2k"; did you mean "sos_'):
        score(tmp_path, corpora, "sos_2k")


def test_no_text_of_a_corpus_is_written(tmp_path, corpora):
    folder, _ = score(tmp_path, corpora)
    texts = ("公园", "遗书", "苹果", "晚饭", "The bus", "Nice tea", "want to die")
    for file in folder.iterdir():
        if file.suffix != ".png":
            written = file.read_text(encoding="utf-8")
            assert [t for t in texts if t in written] == [], file.name


@pytest.mark.slow
def test_the_figures_are_drawn_and_shown(tmp_path, corpora):
    pytest.importorskip("matplotlib")
    folder, _ = score(tmp_path, corpora, figures=True)
    assert {f.name for f in folder.glob("*.??g")} == {
        "rates.png", "rates.svg", "levels.png", "levels.svg",
    }  # fmt: skip
    assert "![rates](rates.png)" in (folder / "report.md").read_text(encoding="utf-8")


def test_equal_runs_leave_equal_files(tmp_path, corpora):
    first, _ = score(tmp_path / "a", corpora, "suicide_binary_zh", figures=True)
    second, _ = score(tmp_path / "b", corpora, "suicide_binary_zh", figures=True)
    for file in first.iterdir():
        if file.name != "config.toml":
            assert file.read_bytes() == (second / file.name).read_bytes(), file.name


def test_without_matplotlib_the_run_is_whole_but_for_the_figures(tmp_path, corpora, monkeypatch):
    real = builtins.__import__

    def without(name, *more):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    folder, _ = score(tmp_path, corpora, "sos_1k", figures=True)
    assert list(folder.glob("*.??g")) == []
    assert "![" not in (folder / "report.md").read_text(encoding="utf-8")


def test_every_risk_corpus_is_read_by_some_yardstick_and_all_its_classes_are_known():
    assert set(risk_sets.SETS) == set(RISK)
    for how in risk_sets.SETS.values():
        assert how.yardsticks
        assert len(set(how.classes)) == len(how.classes)


def test_the_keyword_list_is_short_and_hears_whole_english_words():
    raw = json.loads((ROOT / "src/untwist/recipes/risk_keywords.json").read_text(encoding="utf-8"))
    assert 15 <= len(raw["en"]) <= 25
    assert 15 <= len(raw["zh"]) <= 25
    assert risk_sets.has_keyword("I WANT to die")
    assert risk_sets.has_keyword("他說他想自殺")
    assert not risk_sets.has_keyword("we want to diet")


def test_the_committed_second_labels_hold_no_text():
    file = ROOT / "results/public-risk/second-labels.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {frozenset(row) for row in rows} == {frozenset({"corpus", "id", "crisis", "rater"})}
    assert all(re.fullmatch(r"[a-z]*-?\d+(/\d+)?", row["id"]) for row in rows)
    sizes = {name: sum(row["corpus"] == name for row in rows) for name in RISK}
    assert sizes == {name: 60 if name == "reddit_cssrs" else 120 for name in RISK}


@pytest.mark.corpora
def test_the_known_departures_of_the_public_labels_are_found(tmp_path):
    place = os.environ.get("UNTWIST_CORPORA")
    if not place:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    _, metrics = score(tmp_path, place, "sos_1k", "sos_4k")
    one, two = metrics["departures"].values()
    assert one["high below level 6"] + one["low at level 6 or more"] == 127
    assert two["test of sos_1k in train of sos_4k"] == 165
    assert two["other level"] == 48
