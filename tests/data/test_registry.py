import hashlib
import os

import pytest

from tests.tiny_corpora import write_corpora, write_socialcd
from tests.tiny_more import write_c2d2, write_cogbias
from untwist.data import (
    Reading,
    Refusals,
    card_of,
    digest_of,
    entry_of,
    group_parts,
    known_corpora,
    letters_of,
    load_corpus,
    load_source,
    loader_of,
    locate_files,
    parts_of,
    registry,
    row_parts,
)
from untwist.data.manifest import CorpusFile
from untwist.data.registry import HEADINGS, OPTIONS
from untwist.errors import DataError
from untwist.schema import Dialogue, Utterance

TEST_FILE = "socialcd_3k/socialcd_3k_test.tsv"


@pytest.fixture
def folder(tmp_path):
    return write_corpora(tmp_path)


@pytest.fixture
def known(folder, monkeypatch):
    """The manifest as if the made-up files were the published ones."""
    entries = {}
    for name, entry in known_corpora().items():
        files = []
        for file in entry.files:
            path = folder / file.path
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "0"
            files.append(CorpusFile(file.path, sha256))
        entries[name] = type(entry)(
            **{field: getattr(entry, field) for field in entry.__slots__ if field != "files"},
            files=tuple(files),
        )
    monkeypatch.setattr(registry, "entry_of", lambda name: entries[name])
    return folder


def test_a_licence_that_was_not_accepted_is_named_with_source_and_option(known):
    with pytest.raises(DataError) as error:
        load_corpus("reframing", known)
    entry = entry_of("reframing")
    for part in (entry.title, entry.licence, entry.source, "--accept-licence reframing"):
        assert part in str(error.value)


@pytest.mark.parametrize("accept", [(), ("socialcd",), ("therapist-whole",), ("ALL",)])
def test_the_licence_of_another_corpus_is_none_of_this_one(known, accept):
    with pytest.raises(DataError, match="is not free"):
        load_corpus("therapist-part", known, accept=accept)


@pytest.mark.parametrize("accept", [("reframing",), ("all",), ("socialcd", "reframing")])
def test_an_accepted_licence_opens_the_corpus(known, accept):
    assert len(load_corpus("reframing", known, accept=accept).dialogues) == 6


def test_the_licence_is_asked_before_any_file_is_looked_for(tmp_path):
    with pytest.raises(DataError, match="is not free"):
        load_corpus("socialcd", tmp_path / "nowhere")
    with pytest.raises(DataError, match="no file"):
        load_corpus("socialcd", tmp_path / "nowhere", accept=("socialcd",))


def test_a_free_corpus_needs_no_licence(tmp_path):
    free = [name for name, entry in known_corpora().items() if entry.free]
    assert "open" in free
    assert "socialcd" not in free
    assert len(load_corpus("open", tmp_path).dialogues) > 10_000


def test_the_known_files_are_read_and_none_is_changed(known):
    loaded = load_corpus("socialcd", known, accept=("socialcd",))
    assert loaded.changed == ()
    assert [path.name for path in loaded.files] == [
        "socialcd_3k_train.tsv",
        "socialcd_3k_test.tsv",
    ]
    assert len(loaded.dialogues) == 8


def test_another_sha256_is_an_error_that_names_file_source_and_option(known):
    file = known / TEST_FILE
    file.write_bytes(file.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(DataError) as error:
        load_corpus("socialcd", known, accept=("all",))
    message = str(error.value)
    assert message.startswith(f"{file}: its sha256 is not that")
    assert "--unverified" in message
    assert entry_of("socialcd").source in message


def test_unverified_reads_what_is_there_and_lists_the_changed_files(known):
    file = known / TEST_FILE
    file.write_bytes(file.read_bytes().rstrip(b"\n"))
    loaded = load_corpus("socialcd", known, accept=("all",), unverified=True)
    assert len(loaded.dialogues) == 8
    assert loaded.changed == (file,)
    assert len(loaded.files) == 2


def test_a_single_file_is_compared_with_the_known_one_of_its_name(known):
    file = known / TEST_FILE
    loaded = load_corpus("socialcd", file, accept=("all",))
    assert (len(loaded.dialogues), loaded.files, loaded.changed) == (3, (file,), ())
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(DataError, match=r"socialcd_3k_test\.tsv: its sha256"):
        load_corpus("socialcd", file, accept=("all",))


def test_a_file_of_another_name_is_not_taken_for_a_known_one(known):
    file = (known / TEST_FILE).rename(known / "mine_test.tsv")
    with pytest.raises(DataError, match=r"mine_test\.tsv: its sha256.*--unverified"):
        load_corpus("socialcd", file, accept=("all",))
    loaded = load_corpus("socialcd", file, accept=("all",), unverified=True)
    assert (loaded.files, loaded.changed, len(loaded.dialogues)) == ((file,), (file,), 3)


def test_a_corpus_whose_files_nobody_knows_has_none_that_could_differ(tmp_path):
    write_c2d2(tmp_path)
    assert load_corpus("c2d2", tmp_path, accept=("c2d2",)).changed == ()
    file = tmp_path / "c2d2/Dc_MC-7_val_1500_Zh.tsv"
    loaded = load_corpus("c2d2", file, accept=("c2d2",))
    assert (loaded.files, loaded.changed, len(loaded.dialogues)) == ((file,), (), 1)


def test_refused_rows_are_collected_or_raise(known):
    file = known / TEST_FILE
    with file.open("a", encoding="utf-8") as stream:
        stream.write("too\tfew\n")
    refusals = Refusals()
    loaded = load_corpus("socialcd", known, refusals, accept=("all",), unverified=True)
    assert len(loaded.dialogues) == 8
    assert [(r.path, r.line) for r in refusals] == [(str(file), 5)]
    with pytest.raises(DataError, match=r"socialcd_3k_test\.tsv:5: "):
        load_corpus("socialcd", known, accept=("all",), unverified=True)


def test_an_option_reaches_the_loader_that_has_it_and_no_other(tmp_path):
    write_socialcd(write_cogbias(tmp_path).parents[1])
    assert OPTIONS == {"c2d2": ("corrupted",), "cogbias": ("unmarked",)}
    options = {"unmarked": "undistorted", "corrupted": "clean"}
    judged = []
    for given in (None, options):
        loaded = load_corpus("cogbias", tmp_path, accept=("all",), unverified=True, options=given)
        judged.append(sum(one is not None for d in loaded.dialogues for one in d.labels))
    assert judged == [4, 5]
    loaded = load_corpus("socialcd", tmp_path, accept=("all",), unverified=True, options=options)
    assert len(loaded.dialogues) == 8


def test_an_unknown_name_names_the_nearest_corpus():
    for ask in (entry_of, loader_of, card_of):
        with pytest.raises(DataError, match='unknown corpus "socialdc"; did you mean "socialcd"'):
            ask("socialdc")
    with pytest.raises(DataError, match='did you mean "reframing"'):
        load_corpus("reframe", ".", accept=("all",))


def test_a_card_has_every_heading_with_its_own_words():
    card = card_of("open")
    assert tuple(card) == HEADINGS
    assert card["Language"] == "English (en.jsonl) and Chinese (zh.jsonl)."
    # lines that go on are joined, and no heading runs into the next
    assert card["Known faults"].endswith("no message comes from a real person.")
    assert "\n" not in "".join(card.values())
    assert "Size" not in card["Known faults"]


def test_files_are_missing_other_or_as_known(known):
    entry = registry.entry_of("socialcd")
    (known / TEST_FILE).unlink()
    train = known / "socialcd_3k/socialcd_3k_train.tsv"
    assert locate_files(entry, known) == (
        ("socialcd_3k/socialcd_3k_train.tsv", "ok"),
        (TEST_FILE, "missing"),
    )
    train.write_bytes(b"")
    assert locate_files(entry, known)[0][1] == "differs"


def rows(n=40, corpus="socialcd", **more):
    return [
        Dialogue(str(i), corpus, (Utterance(f"text number {i}"),), (None,), f"{corpus}:{i}", **more)
        for i in range(n)
    ]


@pytest.fixture
def shipped(monkeypatch):
    """Parts that no rule would make, for these very rows."""
    parts = {
        "socialcd": {
            "sha256": digest_of(rows()),
            "published": "e" * 39 + "t",
            "grouped": "v" * 39 + "t",
        }
    }
    monkeypatch.setattr(registry, "shipped_splits", lambda: parts)


def test_shipped_parts_are_used_for_the_very_same_rows(shipped):
    assert parts_of("socialcd", rows(), "published") == ("test",) * 39 + ("train",)
    assert parts_of("socialcd", rows(), "grouped") == ("validation",) * 39 + ("train",)


def changed_rows():
    one = rows()
    text = [*one[:-1], rows(41)[-1]]
    id = Dialogue("x", "socialcd", one[0].utterances, (None,), "socialcd:x")
    turn = Dialogue("0", "socialcd", (*one[0].utterances, Utterance("more")), (None,) * 2, "g")
    return {
        "a row less": one[:-1],
        "a row more": rows(41),
        "another text": text,
        "another order": one[::-1],
        "another id": [id, *one[1:]],
        "another turn": [turn, *one[1:]],
    }


@pytest.mark.parametrize("kind", changed_rows())
def test_shipped_parts_are_never_used_for_other_rows(shipped, kind):
    other = changed_rows()[kind]
    assert parts_of("socialcd", other, "published") == tuple(row_parts(other))
    assert parts_of("socialcd", other, "grouped") == tuple(group_parts({"c": other})["c"])


def test_shipped_parts_are_never_used_for_another_name_or_seed(shipped):
    made = tuple(row_parts(rows(), (0.4, 0.5)))
    assert parts_of("therapist-part", rows(), "published") == made
    assert parts_of("mine", rows(), "published") == tuple(row_parts(rows()))
    assert parts_of("socialcd", rows(), "published", 7) == tuple(row_parts(rows(), seed=7))
    assert parts_of("socialcd", rows(), "grouped", 7) != parts_of("socialcd", rows(), "grouped")


def test_parts_that_are_named_only_here_and_there_are_an_error():
    mixed = [*rows(5), *[Dialogue("x", "c", (Utterance("y"),), (None,), "g", "test")]]
    with pytest.raises(DataError, match="some rows name a part and others do not"):
        parts_of("mine", mixed, "published")


def test_a_part_of_another_name_is_an_error_and_not_left_out_in_silence():
    with pytest.raises(DataError, match='mine has rows of a part "fold1": call it one of train'):
        parts_of("mine", rows(split="fold1"), "published")
    assert set(parts_of("mine", rows(split="dev"), "published")) == {"validation"}


def test_a_digest_knows_where_one_text_ends_and_the_next_begins():
    def talk(*texts):
        said = tuple(Utterance(text) for text in texts)
        return Dialogue("1", "c", said, (None,) * len(said), "g")

    digests = {digest_of([talk(*texts)]) for texts in (("ab", "c"), ("a", "bc"), ("abc",))}
    assert len(digests) == 3
    assert digest_of([]) == hashlib.sha256().hexdigest()


def test_letters_are_the_parts_in_short():
    assert letters_of(["train", "test", "validation", "train"]) == "tevt"


@pytest.mark.corpora
def test_every_public_corpus_has_parts_that_ship_and_they_fit_its_rows():
    folder = os.environ.get("UNTWIST_CORPORA")
    if not folder:
        pytest.skip("UNTWIST_CORPORA does not name the folder of the public corpora")
    for name, shipped in registry.shipped_splits().items():
        loaded = load_source(name, Reading(folder, ("all",)))
        assert digest_of(loaded.dialogues) == shipped["sha256"], name
        for mode in ("published", "grouped"):
            assert letters_of(parts_of(name, loaded.dialogues, mode)) == shipped[mode], name
        made = row_parts(loaded.dialogues, loaded.entry.cuts)
        assert letters_of(made) == shipped["published"], name
    assert set(registry.shipped_splits()) == set(known_corpora()) - {"c2d2"}
