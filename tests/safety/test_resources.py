import json
from datetime import date, timedelta
from importlib.resources import files

import pytest

from untwist.errors import ConfigError
from untwist.safety import digit_strings, help_block, lines, region_of, regions, stale

FILE = json.loads(files("untwist.safety").joinpath("resources.json").read_text(encoding="utf-8"))
ENABLED = [entry for entry in FILE["entries"] if entry["verified"]]
DISABLED = [entry for entry in FILE["entries"] if not entry["verified"]]
CHECKED = date.fromisoformat(max(entry["checked"] for entry in ENABLED))


def test_every_entry_says_where_it_comes_from_and_when_it_was_checked():
    for entry in FILE["entries"]:
        assert entry["source"], entry["id"]
        date.fromisoformat(entry["checked"])
        assert not entry["verified"] or date.fromisoformat(entry["source_date"])


def test_ids_are_unique():
    ids = [entry["id"] for entry in FILE["entries"]]
    assert len(ids) == len(set(ids))


def test_an_unconfirmed_contact_is_never_returned_or_printed():
    shown = [r.id for code in (None, *FILE["regions"]) for r in lines(code)]
    assert not {entry["id"] for entry in DISABLED} & set(shown)
    blocks = " ".join(
        help_block(lang, code) for lang in ("en", "zh") for code in (None, *FILE["regions"])
    )
    own = {e["contact"] for e in DISABLED} - {e["contact"] for e in ENABLED}
    assert not [contact for contact in own if contact in blocks]


@pytest.mark.parametrize("code", FILE["regions"])
def test_emergency_services_come_first(code):
    kinds = [r.kind for r in lines(code)]
    assert kinds == sorted(kinds, key=["emergency", "line", "text", "directory"].index)


def test_without_a_region_only_the_worldwide_directory_is_given():
    assert [r.contact for r in lines(None)] == ["findahelpline.com"]


def test_a_region_without_confirmed_contacts_gets_the_directory():
    assert [r.contact for r in lines("HK")] == ["findahelpline.com"]


def test_codes_are_read_in_any_case():
    assert lines("tw") == lines("TW")


def test_an_unknown_region_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"CA, CN, EU, GB, IE, TW, US"):
        lines("XX")


def test_116_123_is_never_printed_for_europe():
    assert not [r for r in lines("EU") if "116 123" in r.contact]
    assert [r for r in lines("GB") if r.contact == "116 123"]


def test_hours_are_not_claimed_for_all_of_china():
    assert [r.hours_en for r in lines("CN") if r.contact == "12356"] == [None]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I'm in London and it's bad", "GB"),
        ("i live in new york", "US"),
        ("I am currently staying in Dublin", "IE"),
        ("we're from toronto", "CA"),
        ("我在台北", "TW"),
        ("我人在香港", "HK"),
        ("我現在住在臺灣", "TW"),
        ("我在北京上学", "CN"),
        ("我在英国留学", "GB"),
        ("I feel terrible", None),
        ("我很难过", None),
        ("I was reading about London fashion", None),
        ("想吃北京烤鸭", None),
    ],
)
def test_the_region_is_told_from_what_the_message_says(text, code):
    assert region_of(text) == code


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_help_block_without_a_region_names_the_known_regions_and_the_directory(lang):
    block = help_block(lang)
    assert "findahelpline.com" in block
    assert all(FILE["regions"][code][lang] in block for code in regions())
    assert not any(number in block for number in digit_strings())


@pytest.mark.parametrize("code", regions())
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_help_block_of_a_region_holds_its_contacts_and_no_others(lang, code):
    block = help_block(lang, code)
    assert all(r.contact in block for r in lines(code))
    foreign = {r.contact for other in regions() for r in lines(other)}
    foreign -= {r.contact for r in lines(code)}
    printed = {line.rsplit("：" if lang == "zh" else ": ", 1)[-1] for line in block.splitlines()}
    assert not foreign & printed


def test_every_printable_number_comes_from_a_confirmed_entry():
    assert {"988", "12356", "116 123", "1925", "9-8-8"} <= digit_strings()
    assert not {"18111", "741741", "85258", "13 11 14"} & digit_strings()


def test_contacts_grow_stale_after_180_days():
    assert stale(CHECKED + timedelta(days=180)) == ()
    assert len(stale(CHECKED + timedelta(days=181))) == len(ENABLED)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Taiwan", "TW"),
        ("the UK.", "GB"),
        ("United States", "US"),
        ("US", "US"),
        ("中国", "CN"),
        ("台灣", "TW"),
        ("us", None),
        ("I love China", None),
        ("yes", None),
    ],
)
def test_a_bare_name_of_a_place_is_an_answer_and_a_mention_is_not(text, region):
    assert region_of(text) == region
