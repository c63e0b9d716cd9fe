"""Invented rows in the formats of the published corpora; no text is theirs."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

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
