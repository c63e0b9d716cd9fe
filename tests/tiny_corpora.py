"""Invented rows in the formats of the published corpora; no text is theirs."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from untwist.data import psysuicide, reddit_cssrs
from untwist.taxonomy import taxonomy

SOCIALCD = list(taxonomy("socialcd-12").labels)
ALIGNED = list(taxonomy("aligned-12").labels)
THERAPIST = [
    "Id_Number",
    "Patient Question",
    "Distorted part",
    "Dominant Distortion",
    "Secondary Distortion (Optional)",
]


def write_rows(file: Path, header: Sequence[str], rows: Sequence[Sequence[str]], sep: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=sep, lineterminator="\n").writerows([header, *rows])
    return file


def write_lines(file: Path, rows: Sequence[object]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text("".join(lines), encoding="utf-8")
    return file


def ones(columns: Sequence[str], *names: str) -> list[str]:
    return ["1" if column in names else "0" for column in columns]


def write_socialcd(folder: Path) -> None:
    train = [
        [*ones(SOCIALCD, "乱贴标签"), "我就是个废物"],
        [*ones(SOCIALCD, "乱贴标签", "罪责归己"), "都怪我，我真没用"],
        [*ones(SOCIALCD, "先知错误"), "明天的面试肯定完了"],
        [*ones(SOCIALCD, "以偏概全"), "每次都是这样，从来没有顺利过"],
        [*ones(SOCIALCD, "读心术"), "同事一定在背后笑话我"],
    ]
    test = [
        [*ones(SOCIALCD, "乱贴标签"), "我是个废物，没救了"],
        [*ones(SOCIALCD, "先知错误"), "这辈子肯定完了"],
        [*ones(SOCIALCD, "读心术"), "同事一定在背后笑话我!"],
    ]
    header = [*SOCIALCD, "内容"]
    write_rows(folder / "socialcd_3k/socialcd_3k_train.tsv", header, train, "\t")
    write_rows(folder / "socialcd_3k/socialcd_3k_test.tsv", header, test, "\t")


def write_reframing(folder: Path) -> None:
    pairs = [
        ("The bus was late. I am a failure ->", " Labeling"),
        ("The bus was late. I am a failure ->", " Personalizing"),
        ("The shop was shut. It will ruin the week ->", " Fortune telling"),
        ("It rained on my day off ->", " Not distorted"),
        ("My brother has a bigger flat. I feel low ->", " Comparing"),
        ("My brother has a bigger flat. I feel low ->", " Negative feeling or emotion"),
        ("Nobody waved back. It is always so ->", " Overgeneralization"),
        ("Nobody waved back. It is always so ->", " Not distorted"),
        ("I burnt the toast. Everything goes wrong ->", " Overgeneralizing"),
    ]
    rows = [{"prompt": prompt, "completion": label} for prompt, label in pairs]
    write_lines(folder / "cognitive_reframing/thinking_traps_all.jsonl", rows)


def write_therapist(folder: Path) -> None:
    rows = [
        ["11", "We moved. She hates me now, I can tell.", "She hates me now", "Mind Reading", ""],
        ["12", "Hello.\nI will fail again, I am a failure.", "I will fail again", "Fortune-telling",
         "Labeling"],
        ["13", "How do I find a quiet hobby?", "", "No Distortion", ""],
        ["14", "I must be calm at work at all times.", "I must be calm", "Should statements", ""],
        ["15", "What is a good time to call?", "", "No Distortion", ""],
        ["16", "Since May it is all my fault.", "it is all my fault", "Personalization", ""],
    ]  # fmt: skip
    write_rows(folder / "therapist_qa/therapist_qa_all.csv", THERAPIST, rows, ",")


def write_crosslincd(folder: Path) -> None:
    rows = [
        ["It rained on my day off", *ones(ALIGNED)],
        ["The bus was late. I am a failure", *ones(ALIGNED, "乱贴标签")],
        ["我就是个废物", *ones(ALIGNED, "乱贴标签")],
        ["明天的面试肯定完了", *ones(ALIGNED, "先知错误")],
        ["都怪我，我真没用", *ones(ALIGNED, "乱贴标签", "罪责归己")],
    ]
    write_rows(folder / "crosslincd_da/crosslincd_da_all.tsv", ["原始文本", *ALIGNED], rows, "\t")


def write_corpora(folder: Path) -> Path:
    write_socialcd(folder)
    write_reframing(folder)
    write_therapist(folder)
    write_crosslincd(folder)
    return folder


PSYSUICIDE_NONE = "与自杀/自伤/攻击行为无关"
SOS = [("我想死", "4", "0", "fold1"), ("今天去公园走了走", "0", "0", "test"),
       ("我写好了遗书", "7", "1", "fold2"), ("工作好累", "6", "0", "fold5")]  # fmt: skip


def psysuicide_entry(text: str, *names: str) -> dict[str, object]:
    flags = [float(name in names) for name in psysuicide.CLASSES]
    return {"idx": 1, "text": text, "labels": list(names), "data_source": "x", "label": flags}


def write_psysuicide(folder: Path) -> Path:
    entries = [
        psysuicide_entry("我想死", "主动自杀意图"),
        psysuicide_entry("今天天气不错", PSYSUICIDE_NONE),
        psysuicide_entry("他推了我一下", "他人攻击行为"),
        psysuicide_entry("我写好了遗书", "自杀计划", "主动自杀意图"),
        psysuicide_entry("我买了两个苹果", "被动自杀意图"),
    ]
    file = folder / "psysuicide/psysuicide_valid.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return file


def write_risk_corpora(folder: Path) -> Path:
    write_psysuicide(folder)
    fine = [[text, level, part] for text, level, _, part in SOS]
    coarse = [[text, two, part] for text, _, two, part in SOS]
    write_rows(folder / "sos_1k/sos_fgc_1k_all.tsv", ["comment", "myLabel", "part"], fine, "\t")
    write_rows(folder / "sos_1k/sos_hl_1k_all.tsv", ["comment", "twoClass", "part"], coarse, "\t")
    for part, rows in {
        "train": [["今天去公园走了走", "0", "机器写的"], ["我想死", "5", "机器写的"]],
        "val": [["晚饭吃了面", "1", ""]],
        "test": [["我不想活了", "4", ""]],
    }.items():
        header = ["comment", "myLabel", "explain"]
        write_rows(folder / f"sos_4k/sos_4k_{part}.tsv", header, rows, "\t")
    for part, pairs in {
        "train": [["1", "0", "我想死"]],
        "val": [["1", "1", "我写好了遗书"]],
    }.items():
        file = folder / f"suicide_binary_zh/suicide_binary_{part}.tsv"
        write_rows(file, ["id", "label", "comment"], pairs, "\t")
    long = "x" * 40
    cut = str(["Nice tea", "My dog's walk"])[:-1] + ", 'and"
    cut += long * ((reddit_cssrs.CUT_AT - len(cut)) // len(long) + 1)
    users = [
        ["user-0", str(["Nice tea", "I want to die", 'He said "it\'s fine"']), "Ideation"],
        ["user-1", str(["The bus was late", " "]), "Supportive"],
        ["user-2", cut[: reddit_cssrs.CUT_AT], "Indicator"],
    ]
    file = folder / "reddit_cssrs/reddit_cssrs_500users_all.csv"
    write_rows(file, ["User", "Post", "Label"], users, ",")
    return folder
