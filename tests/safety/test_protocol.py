import hashlib
import json
from datetime import date

import pytest

from untwist.engine import running_protocol as running
from untwist.respond import CRISIS_PARTS
from untwist.safety import crisis_protocol, find_claims, lines, protocol_page, regions, stale
from untwist.safety.protocol import crisis_part_names
from untwist.safety.rules import rulebook
from untwist.taxonomy import Acuity, Risk, Strategy


@pytest.fixture(scope="module")
def protocol():
    return running()


def test_every_rule_is_counted_once(protocol):
    assert sum(n for f in protocol.families.values() for n in f.values()) == len(rulebook().rules)


def test_equal_files_give_equal_hashes_and_any_change_gives_another(protocol):
    assert running() == protocol
    one, other = (crisis_protocol("1", {"x.json": raw}) for raw in (b"a", b"b"))
    assert one.sha256 != other.sha256
    assert dict(one.files)["x.json"] == hashlib.sha256(b"a").hexdigest()
    renamed = crisis_protocol("1", {"y.json": b"a"})
    assert renamed.sha256 != one.sha256


def test_the_hash_of_a_text_does_not_depend_on_its_line_ends():
    one, other = (crisis_protocol("1", {"x.json": raw}) for raw in (b"a\n", b"a\r\n"))
    assert one.sha256 == other.sha256


def test_what_decides_is_among_the_files(protocol):
    names = {name for name, _ in protocol.files}
    assert {
        "safety/rules/en.json", "safety/rules/zh.json", "safety/wording/en.json",
        "safety/wording/zh.json", "safety/resources.json", "safety/notices.json",
        "respond/scripts/en/crisis.json", "respond/scripts/zh/crisis.json",
        "respond/scripts/zh-Hant/crisis.json",
    } <= names  # fmt: skip
    assert any(name.startswith("weights/") for name in names)


def test_the_parts_on_the_page_are_the_parts_of_the_reply():
    assert crisis_part_names() == CRISIS_PARTS


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_names_every_level_danger_contact_and_file(protocol, lang):
    page = protocol_page(protocol, lang)
    for member in (*Risk, *Acuity):
        assert f"`{member.value}`" in page
    for code in regions():
        for line in lines(code):
            assert f"| {line.contact} |" in page
            assert line.checked in page
    for name, sha in protocol.files:
        assert f"| `{name}` | `{sha}` |" in page
    assert protocol.sha256 in page
    assert Strategy.CRISIS_INTERVENTION.name_in(lang) in page
    assert "results/screen-cases/report.md" in page
    assert find_claims(page) == ()


def test_both_languages_have_the_same_headings_and_rows(protocol):
    english, chinese = (protocol_page(protocol, lang).splitlines() for lang in ("en", "zh"))
    shapes = [[line[:2] for line in page if line] for page in (english, chinese)]
    assert len(english) == len(chinese)
    assert [s == "##" for s in shapes[0]] == [s == "##" for s in shapes[1]]


def test_as_long_as_nobody_reviewed_the_texts_the_page_says_so(protocol):
    assert protocol.reviewed_by is None
    assert "nobody yet" in protocol_page(protocol, "en")
    named = crisis_protocol("1", {}, (), "A. Reviewer")
    assert "A. Reviewer" in protocol_page(named, "en")


def test_no_contact_on_the_page_is_stale():
    assert stale(date(2026, 11, 20)) == ()


def test_the_values_are_json(protocol):
    data = json.loads(json.dumps(protocol.to_dict()))
    assert data["sha256"] == protocol.sha256
    assert data["levels"]["high"] == [Strategy.CRISIS_INTERVENTION.value]
    assert set(data["urgent"]) <= {a.value for a in Acuity}
