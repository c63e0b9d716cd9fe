import json
import tomllib
from pathlib import Path

import click
import pytest

from untwist.cli.main import cli
from untwist.errors import DataError
from untwist.safety import claims_in, find_claims

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "untwist"
PAGES = (
    "README.md", "README.zh.md", "SAFETY.md", "DATA.md", "CONTRIBUTING.md", "CHANGELOG.md",
    "CITATION.cff", "NOTICE", "pyproject.toml", "docs",
)  # fmt: skip
NOT_SPOKEN = (
    "safety/rules",
    "safety/wording",
    "safety/claims.json",
    "safety/redact.json",
    "respond/strict/",
    "evaluate/parts/",
    "data/",
    "recipes/",
)
"""What holds bad examples, patterns, or texts of invented people, and is never said to anyone."""

CLAIMS = [
    "untwist is an AI therapist in your pocket.",
    "Get therapy without leaving home.",
    "It treats depression and anxiety.",
    "A treatment for panic, free of charge.",
    "Cures social anxiety in two weeks.",
    "It helps you heal from trauma.",
    "Diagnoses your mood in seconds.",
    "An instant diagnosis of your thinking.",
    "Clinically proven to help.",
    "Clinically validated and FDA-cleared.",
    "Recommended by psychologists.",
    "Your AI counsellor is listening.",
    "Online counseling for everyone.",
    "A virtual psychologist.",
    "Your personal mental coach, and doctor.",
    "24/7 support whenever you need it.",
    "A 24-7 therapist for every student.",
    "We are always there for you.",
    "A cheaper alternative to therapy.",
    "As good as a therapist.",
    "No therapist needed!",
    "You don't need a doctor any more.",
    "Relieves anxiety and panic.",
    "Beat your depression with one app.",
    "It prevents suicide.",
    "This tool saves lives.",
    "Guaranteed recovery.",
    "A digital therapeutic for the young.",
    "Predicts suicide risk from a single message.",
    "It offers cognitive behavioural therapy to anyone.",
    "It is not only a program, it is a therapist.",
    "It is not a toy. It treats depression.",
    "Not just therapy: real healing.",
    "No waiting: it cures anxiety.",
    "Evidence-based treatment, no strings attached.",
    "Hospital-grade care.",
    "untwist 是你的 AI 心理医生。",
    "专业的心理治疗，随时可用。",
    "治愈你的内心。",
    "温暖疗愈每一天。",
    "一分钟诊断你的抑郁。",
    "经临床验证有效。",
    "医学证明有效的方法。",
    "24小时陪伴你的咨询师。",
    "全天候在线心理支持。",
    "代替看医生的好办法。",
    "无需心理咨询，自己就能好。",
    "帮你摆脱抑郁症。",
    "有效缓解焦虑，疗效显著。",
    "提供专业的认知行为疗法。",
    "不仅是程序，更是治疗师。",
    "它能预测自杀。",
    "專業的心理諮詢師。",
    "治癒你的焦慮。",
    "你的专属心理导师。",
    "临床级的情绪管理。",
    "Get your `diagnosis` in a minute.",
    "Diagnosis, streamed to you.",
]
NO_CLAIMS = [
    "untwist is no therapy and no medical device.",
    "It is **not** therapy, not a medical device, not a diagnosis.",
    "It makes no diagnosis and is no substitute for care by people.",
    "No clinician has reviewed its rules.",
    "It does not diagnose or treat anyone.",
    "A program must not say that it is a therapist.",
    "It cannot replace a doctor, a therapist or a friend.",
    "It uses strategies from cognitive behavioural therapy (CBT).",
    "See Cognitive Behavioral Therapy-based question answering.",
    "Treat a feeling as information, not as proof.",
    "Therapist QA, distorted part, and the label set `therapist-10`.",
    "Please talk to a doctor or a therapist about this.",
    "If it stays, ask your doctor.",
    "No claim such as therapy, cure or diagnosis may be made.",
    "Guidance says not to use such levels to predict suicide.",
    "Errors in the header are reported with file and line.",
    "untwist doctor checks the installation.",
    "How would you treat a friend in your place?",
    "The crisis counselling line of your city is open now.",
    "Scores are published with intervals and baselines.",
    "The texts were written by language models and checked by programs.",
    "It never claims to cure anything.",
    "It is a computer program and cannot call anyone.",
    "Two labels or more; undistorted texts are kept.",
    "它**不是**心理治疗，不是医疗器械，不作诊断。",
    "它不能代替医生、咨询师或身边的人。",
    "认知行为疗法（CBT）的策略。",
    "没有经过临床专业人员审阅。",
    "不作诊断，也不提供治疗。",
    "请联系医生或心理咨询师。",
    "全国统一心理援助热线 12356。",
    "禁止使用治愈、诊断等说法。",
    "绝不自称心理医生。",
    "它不是心理諮詢，也不作診斷。",
    "每份回复在给人看到之前都要经过把关。",
    "电话号码只来自一个带日期的文件。",
    "实测的漏报率和误报率都在评测结果里。",
    "The `diagnosis` stream names labels; the diagnosis and intervention streams weigh the same.",
    "诊断流学的是标签，“诊断”流与干预流各占一半。",
    "它会出错，也不能代替人的照护。",
]


@pytest.mark.parametrize("text", CLAIMS)
def test_a_claim_is_found(text):
    assert find_claims(text)


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_a_denial_or_the_name_of_a_method_is_no_claim(text):
    assert find_claims(text) == ()


def test_there_are_enough_labelled_examples_in_both_languages():
    assert len(CLAIMS) + len(NO_CLAIMS) >= 60
    for rows in (CLAIMS, NO_CLAIMS):
        assert sum(not text.isascii() for text in rows) >= 12


def test_a_claim_has_its_line_its_words_and_a_reason_in_both_languages():
    (found,) = find_claims("A page.\n\nIt makes no diagnosis.\nIt *cures* you.\n")
    assert (found.line, found.phrase) == (4, "cures")
    assert found.why("en") != found.why("zh")


def test_a_denial_reaches_over_the_end_of_a_line_but_not_over_a_paragraph_or_an_item():
    assert find_claims("It is no medical device and makes no\ndiagnosis.") == ()
    assert find_claims("It is not a\n\ntherapist")
    assert find_claims("- It is not\n- therapy")


def test_escaped_characters_of_a_json_file_are_read(tmp_path):
    file = tmp_path / "texts.json"
    file.write_text(json.dumps({"a": "治愈你"}, ensure_ascii=True), encoding="utf-8")
    assert [c.phrase for _, c in claims_in([file])] == ["治愈"]


def test_a_folder_is_read_to_its_depth_and_hidden_folders_are_not(tmp_path):
    for folder in ("a/b", ".git"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.md").write_text("It cures you.", encoding="utf-8")
    (tmp_path / "model.bin").write_bytes(b"\xff\xfe")
    assert [f.relative_to(tmp_path).as_posix() for f, _ in claims_in([tmp_path])] == ["a/b/x.md"]


def test_a_missing_file_and_one_that_is_not_utf_8_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        list(claims_in([tmp_path / "none"]))
    (tmp_path / "x.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8"):
        list(claims_in([tmp_path]))


def _listed(found):
    return [f"{file}:{c.line}: {c.phrase}: {c.why()}" for file, c in found]


@pytest.mark.parametrize("name", PAGES)
def test_no_page_makes_a_claim(name):
    assert _listed(claims_in([ROOT / name])) == []


def _spoken():
    for file in sorted(PACKAGE.rglob("*.json")):
        path = file.relative_to(PACKAGE).as_posix()
        if not path.startswith(NOT_SPOKEN) and "weights/" not in path:
            yield file
    yield from sorted(PACKAGE.rglob("*.md"))


@pytest.mark.parametrize("file", list(_spoken()), ids=lambda f: f.relative_to(PACKAGE).as_posix())
def test_no_shipped_text_makes_a_claim(file):
    assert _listed(claims_in([file])) == []


def _commands(group, above):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield " ".join((*above, name)), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*above, name))


@pytest.mark.parametrize(("name", "command"), [("", cli), *_commands(cli, ())])
def test_no_help_text_makes_a_claim(name, command):
    assert find_claims(command.get_help(click.Context(command, info_name=name))) == ()


def test_the_package_metadata_makes_no_claim():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    shown = "\n\n".join([project["description"], *project["keywords"], *project["classifiers"]])
    assert find_claims(shown) == ()
