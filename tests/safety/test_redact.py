"""What is taken out before anything is written down, and what stays."""

import ast
import json
import random
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import untwist
from untwist.safety import help_block, lines, redact, region_codes

PACKAGE = Path(untwist.__file__).parent
CONTACTS = [
    entry["contact"]
    for entry in json.loads(
        files("untwist.safety").joinpath("resources.json").read_text(encoding="utf-8")
    )["entries"]
]

TAKEN = [
    # addresses of the net
    ("write to jane.doe+x@mail.example.com please", "write to [EMAIL] please"),
    ("邮箱是zhang_san@example.cn，谢谢", "邮箱是[EMAIL]，谢谢"),
    ("name＠example．com", "[EMAIL]"),
    ("john at gmail dot com", "[EMAIL]"),
    ("john.doe [at] outlook [dot] com", "[EMAIL]"),
    ("see https://example.com/me?id=3 now", "see [URL] now"),
    ("我的主页www.example.com，欢迎", "我的主页[URL]，欢迎"),
    ("facebook.com/anna.smith.12", "[URL]"),
    ("t.me/annas", "[URL]"),
    ("from 192.168.1.10 today", "from [IP] today"),
    ("2001:db8::ff00:42:8329", "[IP]"),
    # telephones of every region in the file
    ("call me at (555) 010-1234 tonight", "call me at [PHONE] tonight"),
    ("212.555.0147", "[PHONE]"),
    ("1-800-555-0199", "[PHONE]"),
    ("5551234567", "[PHONE]"),
    ("my number is +44 20 7946 0958.", "my number is [PHONE]."),
    ("call me on 07700 900123", "call me on [PHONE]"),
    ("+353 85 123 4567 is mine", "[PHONE] is mine"),
    ("085 123 4567", "[PHONE]"),
    ("+49 1512 3456789", "[PHONE]"),
    ("手机13800138000找我", "手机[PHONE]找我"),
    ("+86 138 0013 8000", "[PHONE]"),
    ("0086-13800138000", "[PHONE]"),
    ("138\u200b0013\u200b8000", "[PHONE]"),
    ("1 3 8 0 0 1 3 8 0 0 0", "[PHONE]"),
    ("１３８００１３８０００", "[PHONE]"),
    ("一三八零零一三八零零零", "[PHONE]"),
    ("zero four one two three four five six seven", "[PHONE]"),
    ("电话 010-62345678 分机", "电话 [PHONE] 分机"),
    ("我的電話是９１２３４５６７", "我的電話是[PHONE]"),
    ("6123 4567", "[PHONE]"),
    ("+852 6123 4567", "[PHONE]"),
    ("text 0912-345-678", "text [PHONE]"),
    ("(02) 8765 4321", "[PHONE]"),
    ("+886 912 345 678", "[PHONE]"),
    ("0412 345 678", "[PHONE]"),
    ("+65 8123 4567", "[PHONE]"),
    ("12356 13800138000", "12356 [PHONE]"),
    ("13800138000 12356", "[PHONE] 12356"),
    # documents, cards, plates
    ("my ssn is 123-45-6789", "my ssn is [ID]"),
    ("身份证11010519491231002X的", "身份证[ID]的"),
    ("A123456789", "[ID]"),
    ("HKID A123456(7)", "HKID [ID]"),
    ("S1234567D", "[ID]"),
    ("AB123456C", "[ID]"),
    ("passport G12345678", "passport [ID]"),
    ("护照号码：E12345678", "护照号码：[ID]"),
    ("driver's license D1234567", "driver's license [ID]"),
    ("學號 B10901234", "學號 [ID]"),
    ("4111 1111 1111 1111", "[CARD]"),
    ("卡号6222021234567890123", "卡号[CARD]"),
    ("GB29 NWBK 6016 1331 9268 19", "[CARD]"),
    ("京A·12345", "[PLATE]"),
    ("滬A12345", "[PLATE]"),
    ("my license plate is ABC 1234", "my license plate is [PLATE]"),
    ("AB12 CDE", "[PLATE]"),
    # accounts
    ("加我微信：abc_12345吧", "加我微信：[ACCOUNT]吧"),
    ("微信号zhangxiaoming", "微信号[ACCOUNT]"),
    ("qq 123456789", "qq [ACCOUNT]"),
    ("line id: anna99", "line id: [ACCOUNT]"),
    ("my instagram is anna_smith", "my instagram is [ACCOUNT]"),
    ("username is sadgirl", "username is [ACCOUNT]"),
    ("my password is hunter2", "my password is [ACCOUNT]"),
    ("@annasmith99 on insta", "@[HANDLE] on insta"),
    ("discord foo#1234", "discord [HANDLE]"),
    ("u/throwaway99", "u/[HANDLE]"),
    # places
    ("I live at 12 Maple Street", "I live at [ADDRESS]"),
    ("221b Baker Street, Flat 3", "[ADDRESS]"),
    ("Apt 402", "Apt [ADDRESS]"),
    ("SW1A 1AA", "[ADDRESS]"),
    ("Springfield, IL 62704", "Springfield, [ADDRESS]"),
    ("我住在北京市海淀区中关村大街27号3号楼502室", "[ADDRESS]"),
    ("住在台北市信義區松仁路100號5樓", "[ADDRESS]"),
    ("I go to Stanford University", "I go to [PLACE]"),
    ("我在清华大学读书", "我在[PLACE]读书"),
    # days of birth
    ("born on 12 March 1990", "born on [DOB]"),
    ("my birthday is 3/4/1999", "my birthday is [DOB]"),
    ("dob: 1990-02-03", "dob: [DOB]"),
    ("生日是1999年3月4日", "生日是[DOB]"),
    ("我1999年3月4日出生", "我[DOB]出生"),
    # names
    ("My name is Anna Smith and I am sad", "My name is [NAME] and I am sad"),
    ("my name is xiao ming", "my name is [NAME]"),
    ("hi, I'm called Bob", "hi, I'm called [NAME]"),
    ("I'm Anna Smith from Lincoln High School", "I'm [NAME] from [PLACE]"),
    ("i'm anna from lincoln high school", "i'm [NAME] from [PLACE]"),
    ("my boyfriend Jake hits me", "my boyfriend [NAME] hits me"),
    ("Dr. Miller said so", "Dr. [NAME] said so"),
    ("你好，我叫王小明，今年二十", "你好，我叫[NAME]，今年二十"),
    ("我叫陳大文，住在香港", "我叫[NAME]，住在香港"),
    ("我的名字是李雷。", "我的名字是[NAME]。"),
    ("我是王小明。", "我是[NAME]。"),
    ("我是北京大学的李雷。", "我是[PLACE]的[NAME]。"),
    ("我是高雄中學的陳怡君，", "我是[PLACE]的[NAME]，"),
    ("王老师说我没用", "[NAME]老师说我没用"),
]
KEPT = [
    "I feel sad and I slept 5 hours in 3 days", "In 2019 I moved, in 2021 I moved again",
    "In 2019-2021 I was ill", "on 2024-12-31 we met", "it costs 1,000,000", "3.14159265",
    "I earned 1000000 last year", "at 10:30-11:45", "I'm sad and I'm tired",
    "I'm back from high school", "5 minutes down the street", "my boss I hate",
    "my name is not important", "call me crazy", "I am called names", "I'm Chinese, and I am sad",
    "On Monday I fell", "line by line", "I'm ok, from time to time", "我今年25岁，三天没睡",
    "我叫他不要来", "微信群里没人理我", "我是高中生", "我是单身。", "我在大学", "我是成年人。",
    "老师说我没用", "她管我叫阿姨，我不高兴", "我在一家公司上班",
]  # fmt: skip


@pytest.mark.parametrize(("text", "clean"), TAKEN)
def test_what_tells_who_someone_is_is_taken_out(text, clean):
    assert redact(text) == clean
    assert redact(clean) == clean


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_words_stay(text):
    assert redact(text) == text


@pytest.mark.parametrize("contact", CONTACTS)
@pytest.mark.parametrize(
    "around", ["call {}", "请拨打{}。", "{} or 988", "{}", "{} 12356", "（{}）"]
)
def test_the_help_lines_of_the_file_stay(contact, around):
    text = around.format(contact)
    assert redact(text) == text


@pytest.mark.parametrize("lang", ["en", "zh", "zh-Hant"])
def test_the_help_block_stays_word_for_word(lang):
    for code in (None, *region_codes()):
        block = help_block(lang, code)
        assert redact(block) == block
    assert redact("https://findahelpline.com") == "https://findahelpline.com"


def test_a_help_line_at_the_start_of_a_longer_number_does_not_save_the_rest():
    for line in lines("US"):
        if line.contact.isdigit():
            assert redact(f"{line.contact}-555-1234") == "[PHONE]"


PIECES = (
    [text for text, _ in TAKEN]
    + [mark for _, mark in TAKEN]
    + KEPT
    + list("@#.-/ \n()[]我是路号1aA\u200b")
)


@given(st.lists(st.sampled_from(PIECES), max_size=5).map("".join))
@settings(max_examples=150, deadline=None)
def test_redacting_twice_changes_nothing_more(text):
    once = redact(text)
    assert redact(once) == once


@given(st.text(max_size=200) | st.text(st.characters(), max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_string_can_be_redacted(text):
    once = redact(text)
    assert redact(once) == once


def test_half_a_surrogate_pair_and_control_characters_do_no_harm():
    raw = "".join(map(chr, range(0xD7F0, 0xE010))) + "".join(map(chr, range(40)))
    assert "[PHONE]" in redact(raw + " 13800138000 " + raw)


def test_noise_around_a_telephone_number_does_not_hide_it():
    rng = random.Random(7)
    for _ in range(300):
        left, right = ("".join(rng.choices("ab 我，。!-\n", k=8)) for _ in range(2))
        assert "13800138000" not in redact(f"{left} 13800138000 {right}")


# Where the package writes to disk. A new place must be looked at: what it writes of a person's
# words must go through `redact` first, unless it is the file that the user asked for by name.
WRITERS = {
    "artifacts.py": "a model: numbers, configuration, card",
    "cli/export.py": "one person's things: the file that the user asked for by name",
    "cli/evaluate_leaderboard.py": "scores, and the command that made them",
    "cli/protocol.py": "the protocol page",
    "cli/rows.py": "--output: the user's own file",
    "cli/worksheet.py": "a worksheet: the file that the user asked for by name",
    "data/convert/dataset_info.py": "names of files and of their columns",
    "data/convert/files.py": "data convert and data split --out: the user's own file",
    "data/labelstudio/rounds.py": "a round of annotation: the folder that the user named",
    "data/logged.py": "logged dialogues: the file that the user asked for by name",
    "detect/checkpoints.py": "numbers of a training that goes on later",
    "detect/finetuned.py": "a model: numbers, tokenizer, card",
    "detect/folder.py": "a model: labels, thresholds, hashes",
    "detect/onnx.py": "a model: numbers",
    "detect/teach.py": "probabilities by hash of a text",
    "evaluate/pictures.py": "pictures of numbers",
    "generate/journal.py": "a run of generated data: in the folder that the user asked for by name",
    "recipes/blind_sheets.py": "sheets to rate: files that the user asked for by name",
    "recipes/crosslincd_answers.py": "numbers by hash of what made them",
    "recipes/fix_splits.py": "one letter a row, and hashes",
    "recipes/generate_folder.py": "settings and versions of a run, as runfolder does",
    "recipes/runfolder.py": "configuration, scores; no text of a message (tested below)",
    "recipes/sheets.py": "tables of ratings: files that the user asked for by name",
    "recipes/train_llm.py": "counts and settings of a tuning",
    "safety/counters.py": "month, region, language, count",
    "tune/merge.py": "a model: numbers, tokenizer, card",
    "tune/state.py": "numbers of a tuning that goes on later",
}
KEEPERS = {"llm/cache.py", "generate/journal.py", "serve/store/database.py", "serve/store/store.py"}
"""Databases in files that the user asked for by name: answers of a model, items of a run, and the
store of the server, where what people write belongs."""
SILENCERS = {"detect/onnx.py", "recipes/train_llm.py", "serve/logs.py"}
"""Modules that touch logging to keep other programs quiet, or to say less."""
_WRITING = {"write_text", "write_bytes", "NamedTemporaryFile", "save_file", "savez", "dump"}


def _writes(node):
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if name == "open":
        modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
        return any(isinstance(m, str) and set(m) & set("wax+") and len(m) < 4 for m in modes)
    owner = getattr(getattr(node.func, "value", None), "id", "")
    return name in _WRITING and owner != "folder"


def test_every_place_that_writes_to_disk_is_known():
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if any(_writes(node) for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    }
    assert found == set(WRITERS)


def test_nothing_is_logged_anywhere():
    for file in PACKAGE.rglob("*.py"):
        names = {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        place = file.relative_to(PACKAGE).as_posix()
        kept = {"sqlite3"} if place in KEEPERS else set()
        kept |= {"logging"} if place in SILENCERS else set()
        assert not names & {"logging", "syslog", "sqlite3", "shelve", "dbm"} - kept, file
