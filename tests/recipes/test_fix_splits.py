import json
import os
from collections import Counter
from itertools import permutations

import pytest

from tests.recipes.tiny import row, write_own
from untwist.data import (
    Part,
    Reading,
    digest_of,
    find_leakage,
    known_corpora,
    load_source,
    parts_of,
    registry,
)
from untwist.recipes.fix_splits import fix, write
from untwist.taxonomy import Distortion

D = Distortion
FILLER = ["apple", "bridge", "candle", "desert", "engine", "forest", "garden", "hammer"]


def sentence(n):
    """A text of its own, long enough to be told as an excerpt."""
    return " ".join(f"{word}{n * 7 + place}" for place, word in enumerate(FILLER))


def corpora(folder):
    """Two corpora without parts; every odd text of the first has an excerpt in the second."""
    first = [row(str(n), f"{sentence(n)} and more, {sentence(n + 500)}", None) for n in range(40)]
    second = [row(str(n), sentence(n if n % 2 else n + 1000), None) for n in range(40)]
    for one in (*first, *second):
        del one["split"]
    files = (write_own(folder, first, "first.jsonl"), write_own(folder, second, "second.jsonl"))
    return [load_source(file, Reading()) for file in files]


def test_every_corpus_has_its_digest_and_a_letter_for_each_row_of_each_split(tmp_path):
    loaded = corpora(tmp_path)
    splits = fix(loaded)
    assert list(splits["corpora"]) == ["first", "second"]
    for one in loaded:
        own = splits["corpora"][one.entry.name]
        assert own["sha256"] == digest_of(one.dialogues)
        assert Counter(own["published"]) == {"t": 24, "v": 8, "e": 8}
        assert len(own["grouped"]) == 40
        assert set(own["grouped"]) <= set(splits["letters"]) == {"t", "v", "e"}


def test_an_excerpt_in_another_corpus_lies_on_the_side_of_its_text(tmp_path):
    splits = fix(corpora(tmp_path))["corpora"]
    first, second = splits["first"]["grouped"], splits["second"]["grouped"]
    assert [second[n] for n in range(1, 40, 2)] == [first[n] for n in range(1, 40, 2)]
    # and not merely because all lie on one side
    assert set(first) == {"t", "v", "e"}
    assert splits["first"]["published"] != splits["second"]["grouped"]


def test_the_open_corpus_keeps_the_parts_that_it_has_alone(tmp_path):
    opened = load_source("open", Reading())
    few = opened.dialogues[:300]
    loaded = registry.Loaded(opened.entry, few, (), ())
    alone = fix([loaded])["corpora"]["open"]
    learnt = next(d for d in few if d.split == "train")
    # the other corpus tests on a text that the open one trains on
    rows = [row("1", learnt.utterances[0].text, "test"), row("2", sentence(1), "train")]
    other = load_source(write_own(tmp_path, rows, "other.jsonl"), Reading())
    assert fix([other, loaded])["corpora"]["open"] == alone


def test_shipped_parts_are_known_again_by_the_very_rows_that_they_were_made_for(
    tmp_path, monkeypatch
):
    loaded = corpora(tmp_path)
    file = tmp_path / "splits.json"
    write(fix(loaded), file)
    text = file.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert "apple" not in text
    made = json.loads(text)["corpora"]
    monkeypatch.setattr(registry, "shipped_splits", lambda: made)
    words = dict(zip("tve", ("train", "validation", "test"), strict=True))
    for one in loaded:
        name = one.entry.name
        for mode in ("published", "grouped"):
            expected = tuple(words[letter] for letter in made[name][mode])
            assert parts_of(name, one.dialogues, mode) == expected


def test_equal_rows_give_an_equal_file(tmp_path):
    for name in ("one", "two"):
        write(fix(corpora(tmp_path)), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.fixture(scope="module")
def public():
    place = os.environ.get("UNTWIST_CORPORA")
    if not place:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    how = Reading(place, ("all",))
    return [load_source(name, how) for name in known_corpora() if name != "c2d2"]


@pytest.mark.corpora
def test_the_parts_that_ship_are_those_that_the_recipe_makes(public):
    assert fix(public)["corpora"] == registry.shipped_splits()


@pytest.mark.corpora
def test_no_row_of_a_grouped_part_leaks_into_another_part_of_any_corpus(public):
    sides = {"train": [], "validation": [], "test": []}
    for one in public:
        name = one.entry.name
        if name == "open":
            continue
        parts = parts_of(name, one.dialogues, "grouped")
        for dialogue, part in zip(one.dialogues, parts, strict=True):
            sides[part].append(dialogue)
    report = find_leakage(Part(part, rows) for part, rows in sides.items())
    found = {pair: report.leak(*pair).leaked for pair in permutations(sides, 2)}
    assert found == dict.fromkeys(found, 0)
    assert len(found) == 6
    # the same report finds what is there: within the train part texts do repeat
    assert report.leak("train", "train").leaked > 1000
