"""Invented rows in the formats of the corpora beyond the first five; no text is theirs."""

import json
from pathlib import Path

from tests.tiny_corpora import ones, write_lines, write_rows
from untwist.taxonomy import taxonomy

DC = list(taxonomy("aligned-12").labels)
DC_NAMES = {"train": "train_4500", "val": "val_1500", "test": "test_1500"}
VOTED = [
    "Catastrophizing",
    "Discounting the positive",
    "Emotional reasoning",
    "Labeling and mislabeling",
    "Mental filtering",
    "Jumping to conclusions: mind reading",
    "Jumping to conclusions: Fortune-telling",
    "Overgeneralization",
    "Personalization",
    "Black-and-white or polarized thinking / All or nothing thinking",
    "Should statements",
    "None",
]


def write_json(file: Path, data: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")
    return file


def write_c2d2(folder: Path) -> Path:
    parts = {
        "train": [
            ["今天迟到一次，我就彻底失败了", *ones(DC, "非此即彼")],
            ["早饭吃了\n两个包子", *ones(DC)],
            ["我心里慌，说明事情一定糟了", *ones(DC, "情绪化推理")],
        ],
        "val": [["朋友没回消息，肯定是讨厌我", *ones(DC, "读心术")]],
        "test": [["团队输了，都怪我", *ones(DC, "罪责归己")], ["晚上去散步", *ones(DC)]],
    }
    for part, rows in parts.items():
        file = folder / f"c2d2/Dc_MC-7_{DC_NAMES[part]}_Zh.tsv"
        write_rows(file, ["原始文本", *DC], rows, "\t")
    return folder


def annotation(tags: object, risk: object = "低危", intensity: object = "中等") -> dict:
    return {"bias_tags": tags, "risk_level": risk, "bias_intensity": intensity}


def said(role: str, content: object, *annotations: object) -> dict:
    message = {"role": role, "content": content}
    return {**message, "annotation": annotations[0]} if annotations else message


def esc(id: object, *messages: object, source: str = "PsyDTCorpus", sample: object = 7) -> dict:
    return {
        "id": id,
        "data_source": source,
        "sample_id": sample,
        "normalizedTag": "工作",
        "portrait": {},
        "record": {},
        "messages": [{"role": "system", "content": "请扮演"}, *messages],
    }


COGBIAS = [
    esc(
        1,
        said("user", "最近工作好累。"),
        said("assistant", "发生了什么？"),
        said("user", "一次没做好，这辈子就完了。", annotation("灾难化", "中危", "严重")),
        said("assistant", "这辈子？"),
        said("user", "嗯，就是这样。", annotation(None, "", "")),
        said("assistant", "我在听。"),
    ),
    esc(
        2,
        said(
            "user", "他们都看不起我，我就是个笑话。", annotation("读心术、标签化", "高危", "严重")
        ),
        said("assistant", "听起来很难受。"),
        source="CPsyCounD",
        sample=0,
    ),
    esc(
        3,
        said("user", "我考砸了，都怪我。", annotation(["个人化"], "无", "轻微")),
        said("assistant", "你愿意说说吗？"),
        said("user", "谢谢你。", annotation("无", "低危", "")),
        said("assistant", "不客气。"),
        source="CPsyCounD",
        sample=0,
    ),
]


def write_cogbias(folder: Path) -> Path:
    return write_json(folder / "cogbias_sample/cogbias_sample24.json", COGBIAS)


def write_cogdis(folder: Path) -> Path:
    file = folder / "cogdis_zh/cogdis_all.tsv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("我永远做不好任何事\t1\n周末去看了电影\t0\n大家都在针对我\t1", encoding="utf-8")
    return file


def votes(**counts: int) -> dict[str, str]:
    """Votes by the first word of a pattern, with "_" for what cannot stand in a Python name."""
    named = {name: str(counts.pop(_short(name), 0)) for name in VOTED}
    assert not counts, counts
    return named


def _short(name: str) -> str:
    return name.split(" / ")[0].split(": ")[-1].split(" ")[0].lower().replace("-", "_")


def thought(
    text: object, marked: object, pattern: str = "Catastrophizing", persona: str = ""
) -> dict:
    return {
        "persona": persona or "I bake. I have two cats.",
        "pattern": pattern,
        "pattern_def": "words",
        "thought": text,
        "strategies_def": {},
        "reframes": [],
        "marked_patterns": marked,
    }


def write_patternreframe(folder: Path) -> Path:
    rows = [
        thought(
            "The cake sank, so the shop will close.", votes(catastrophizing=4, fortune_telling=2)
        ),
        thought(
            "My cats ignore me, they hate me.",
            votes(mind=5, none=2),
            persona="i bake.  I have two cats.",
        ),
        thought("I painted the door green.", votes(none=3, mental=1), persona="I paint doors."),
        thought("It rains again.", votes(none=1, mental=1), persona="I sail."),
        thought("One dry tart, I never bake well.", votes(black_and_white=3, overgeneralization=1)),
    ]
    write_lines(folder / "patternreframe/patternreframe_valid.jsonl", rows)
    header = ["persona", "pattern", "pattern_def", "thought", "scenario", "persona_in_scenario",
              "thought_in_scenario"]  # fmt: skip
    table = [
        ["I sail.", "Should statements", "d", "I should never be late.", "s", "p", "t"],
        ["I paint.", VOTED[9], "d", "One drip and the wall is ruined.", "s", "p", "t"],
    ]
    write_rows(
        folder / "patternreframe/patternreframe_9class_with_scenario.csv", header, table, ","
    )
    return folder


def question(id: object, key: str, names: object, text: object = "I moved. It is no good.") -> dict:
    return {"id": id, "ori_text": text, "situation": "s", "thoughts": "t", key: names}


def write_cbtbench(folder: Path) -> Path:
    kinds = {
        "distortions": ("distortions", ["mind reading", "labeling"], ["magnification"]),
        "core_major": ("core_belief_major", ["worthless", "helpless"], ["unlovable"]),
        "core_fine": (
            "core_belief_fine_grained",
            ["I am trapped"],
            ["I am needy", "I am helpless"],
        ),
    }
    for name, (key, seed, test) in kinds.items():
        write_json(folder / f"cbt_bench/{name}_seed.json", [question("11", key, seed)])
        write_json(folder / f"cbt_bench/{name}_test.json", [question("12", key, test)])
    return folder


def write_babacan(folder: Path) -> Path:
    rows = [
        [" I will fail again", "Distortion"],
        ["How do I find a quiet hobby?", "No Distortion"],
        [" I will fail again", "Distortion"],
    ]
    return write_rows(
        folder / "babacan_binary/babacan_binary_all.csv", ["Text", "Label"], rows, ","
    )


def write_more_corpora(folder: Path) -> Path:
    write_c2d2(folder)
    write_cogbias(folder)
    write_cogdis(folder)
    write_patternreframe(folder)
    write_cbtbench(folder)
    write_babacan(folder)
    return folder
