"""Writes every part of the documentation that the code already knows.

`python docs/generate.py` rewrites the generated pages, and the blocks between
`<!-- generated: NAME -->` and `<!-- end -->`; `tests/architecture/test_docs.py` fails when one of
them is out of date.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import click
from click.testing import CliRunner

from untwist.cli.main import cli
from untwist.data import load_open
from untwist.evaluate import leaderboard_markdown, read_leaderboard
from untwist.recipes.evaluate_detector import OWN
from untwist.taxonomy import (
    CANONICAL,
    CORPUS_ONLY,
    LANGS,
    Intensity,
    Lang,
    Risk,
    Strategy,
    matrix,
    taxonomies,
)

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
EXAMPLES: dict[Lang, str] = {
    "en": "I failed one exam and it's the end of the world",
    "zh": "他没回我消息，肯定是讨厌我了",
}


def run(*arguments: str) -> str:
    """What a command prints."""
    done = CliRunner().invoke(cli, list(arguments), prog_name="untwist")
    return done.stdout


def transcript(lang: Lang) -> str:
    """The main job on one message, as a reader would see it."""
    text = EXAMPLES[lang]
    return "".join(
        f'$ untwist {command} "{text}"\n{run(command, text)}\n' for command in ("detect", "reply")
    ).rstrip()


def fenced(text: str) -> str:
    """A block of plain text."""
    return f"```text\n{text}\n```\n"


def floors() -> str:
    """The layers contract as a table, highest floor first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    rows = []
    for place, layer in enumerate(layers):
        rooms = " · ".join(f"`{room.strip(' ()')}`" for room in layer.split("|"))
        rows.append(f"| {len(layers) - place} | {rooms} |")
    return "| floor | rooms |\n|---|---|\n" + "\n".join(rows) + "\n"


def contracts() -> str:
    """The names of the contracts that CI checks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [c["name"] for c in project["tool"]["importlinter"]["contracts"]]
    return "".join(f"{place}. {name}.\n" for place, name in enumerate(names, 1))


def command_line() -> str:
    """Every command's help."""
    pages = [f"## untwist\n\n{fenced(run('--help').rstrip())}"]
    for name in _commands(cli, ()):
        pages.append(f"## untwist {name}\n\n{fenced(run(*name.split(), '--help').rstrip())}")
    head = (
        "# Command line\n\nMade from the code by `docs/generate.py`; do not edit.\n\n"
        "Exit codes: 0 fine; 1 a mistake in the input, or at least one failed item; 2 wrong usage. "
        "Data goes to stdout, messages to stderr. `screen` and `check` always print JSON.\n\n"
    )
    return head + "\n".join(pages)


def _commands(group: click.Group, above: tuple[str, ...]) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*above, name))
        if isinstance(command, click.Group):
            yield from _commands(command, (*above, name))


_FIGURES: dict[Lang, dict[str, str]] = {
    "en": {
        "head": "| texts | rows | micro-F1 | best constant answer | macro-F1 | undistorted texts "
        "given a label |",
        "open": "open corpus, test part (other personas)",
        "none": "no such texts",
        "speed": "Cold `untwist detect TEXT`: {wall} s and {mb} MB (medians; {machine}). "
        "In a batch on one core: {full:,} short texts a second, risk and evidence included, and "
        "{alone:,} for probabilities alone; scikit-learn's TF-IDF with logistic regression, "
        "probabilities alone, {sklearn:,} on the same texts in the same run, XLM-R-large's "
        "architecture {encoder}. With two workers {million:,} texts take {seconds:,} s "
        "({rate:,} a second), each process within {peak} MB.",
    },
    "zh": {
        "head": "| 文本 | 条数 | micro-F1 | 最佳常数答案 | macro-F1 | 无扭曲文本被贴标签的比例 |",
        "open": "开放语料测试部分（其他人物）",
        "none": "没有这类文本",
        "speed": "冷启动 `untwist detect TEXT`：{wall} 秒、{mb} MB（中位数；{machine}）。"
        "单核批量：每秒 {full:,} 条短文本（含风险筛查和证据定位），只算概率则为 {alone:,} 条；"
        "同一次运行、同样的文本，scikit-learn 的 TF-IDF 加逻辑回归（只给概率）{sklearn:,} 条，"
        "XLM-R-large 的架构 {encoder} 条。两个进程读完 {million:,} 条用 {seconds:,} 秒"
        "（每秒 {rate:,} 条），每个进程不超过 {peak} MB。",
    },
}
_ENCODER = "XLM-R-large's architecture, torch"
_SHOWN = (
    ("open", "either split, test part", "open"),
    ("socialcd", "published split, test part", "D_s, SocialCD-3k test"),
    ("reframing", "all rows", "D_r, Cognitive Reframing"),
    ("therapist-part", "all rows", "D_t1, Therapist QA, distorted part"),
    ("therapist-whole", "all rows", "D_t2, Therapist QA, whole question"),
    ("crosslincd", "all rows", "D_a, CrossLinCD alignment set"),
)


def _reports() -> dict[tuple[str, str], dict[str, Any]]:
    folders = (ROOT / "results" / name for name in ("open-test", "zero-shot"))
    files = [json.loads((f / "metrics.json").read_text(encoding="utf-8")) for f in folders]
    lines = [r for file in files for r in file["reports"] if r["thresholds"] == OWN]
    return {(r["corpus"], r["part"]): r for r in lines}


def figures(lang: Lang) -> str:
    """The scores and speeds that `results/` holds."""
    t, reports = _FIGURES[lang], _reports()
    lines = [t["head"], "|---|---|---|---|---|---|"]
    for corpus, part, title in _SHOWN:
        r = reports[corpus, part]
        spans, scores = r["intervals"], r["scores"]
        micro = f"{scores['micro_f1']:.3f} {_interval(spans['micro_f1'])}"
        macro = f"{scores['macro_f1']['value']:.3f} {_interval(spans['macro_f1'])}"
        over = r["false_alarms"]["over_pathologising"]
        alarm = t["none"]
        if over is not None:
            alarm = f"{over:.3f} {_interval(spans['over_pathologising'])}"
        floor = r["baselines"][0]["scores"]["micro_f1"]
        name = t["open"] if corpus == "open" else title
        lines.append(f"| {name} | {r['n']:,} | {micro} | {floor:.3f} | {macro} | {alarm} |")
    speed = ROOT / "results" / "benchmark-detect" / "metrics.json"
    m = json.loads(speed.read_text(encoding="utf-8"))
    last, rates = m["growth"][-1], m["batch"]["texts_per_s"]
    sentence = t["speed"].format(
        wall=m["cold"]["wall_s"]["median"],
        mb=m["cold"]["peak_mb"]["median"],
        machine=m["machine"],
        full=round(rates["untwist, in full"]["median"]),
        alone=round(rates["untwist, probabilities alone"]["median"]),
        sklearn=round(rates["scikit-learn, TF-IDF + logistic regression"]["median"]),
        encoder=f"{rates[_ENCODER]['median']:.1f}",
        rate=last["texts_per_s"],
        million=last["texts"],
        seconds=last["wall_s"],
        peak=last["peak_mb"],
    )
    return "\n".join(lines) + "\n\n" + sentence + "\n"


def _interval(span: dict[str, float]) -> str:
    return f"[{span['low']:.3f}, {span['high']:.3f}]"


_RISK_READERS = (
    ("rules", "high"),
    ("rules and reader", "high"),
    ("rules and reader", "medium or high"),
    ("keyword list", ""),
)


def risk() -> str:
    """The screen on the public risk corpora, main reading of each, as `results/` holds it."""
    file = ROOT / "results" / "public-risk" / "metrics.json"
    m = json.loads(file.read_text(encoding="utf-8"))
    heads = [f"{reader}, {cut}".removesuffix(", ") for reader, cut in _RISK_READERS]
    lines = [
        f"| corpus: yes is | yes / n | {' | '.join(heads)} | second labels: kappa |",
        "|---" * (len(heads) + 3) + "|",
    ]
    for name, one in m["corpora"].items():
        main = one["yardsticks"][0]
        rates = {(r["reader"], r["cut"]): r for r in main["rates"]}
        cells = [
            f"{_bounds(rates[who]['sensitivity'])}; {_bounds(rates[who]['specificity'])}"
            for who in _RISK_READERS
        ]
        second = m["second"][name]["yardsticks"][0]
        span = second["kappa_interval"]
        kappa = f"{second['kappa']:.2f} [{span['low']:.2f}, {span['high']:.2f}]"
        size = f"{main['yes']:,} / {main['n']:,}"
        lines.append(f"| {name}: {main['name']} | {size} | {' | '.join(cells)} | {kappa} |")
    return "\n".join(lines) + "\n"


_SAFETY = {
    "en": {
        "head": "| made-up messages that were only scored | crises heard as high "
        "| crises heard as low or none | harmless ones called high |",
        "natural": "{lang}, as a program receives them",
        "blind": "{lang}, stock phrases avoided",
        "lang": {"en": "English", "zh": "Chinese"},
        "guard": "The guard stops {broken_en} (English) and {broken_zh} (Chinese) of broken drafts "
        "that were only scored, and {good_en} and {good_zh} of good ones.",
    },
    "zh": {
        "head": "| 只用来打分的虚构消息 | 危机判为高危 | 危机判为低危或无 | 无害消息误判为高危 |",
        "natural": "{lang}，与实际收到的相近",
        "blind": "{lang}，避开套话",
        "lang": {"en": "英文", "zh": "中文"},
        "guard": "对只用来打分的草稿，把关环节拦下了 {broken_en}（英文）和 {broken_zh}（中文）的"
        "违规草稿，误拦了 {good_en} 和 {good_zh} 的合格草稿。",
    },
}
_ASKED = ("crisis recall", "silent misses", "false crisis alarms")


def safety(lang: Lang) -> str:
    """What the screen and the guard do on parts that were only scored, from `results/`."""
    t = _SAFETY[lang]
    screened = json.loads((ROOT / "results/screen-cases/metrics.json").read_text(encoding="utf-8"))
    lines = [t["head"], "|---|---|---|---|"]
    for part in ("natural", "blind"):
        for code in ("en", "zh"):
            table = next(
                e
                for e in screened["tables"]
                if (e["reader"], e["lang"], e["part"]) == ("rules and reader", code, part)
            )
            shares = (_bounds(table["measures"][name]) for name in _ASKED)
            name = t[part].format(lang=t["lang"][code])
            lines.append(f"| {name} | {' | '.join(shares)} |")
    guard = json.loads((ROOT / "results/guard-drafts/metrics.json").read_text(encoding="utf-8"))
    shares = {
        f"{kind}_{e['lang']}": _bounds(e[f"{kind} stopped"])
        for e in guard["tables"]
        if (e["guard"], e["part"]) == ("patterns and reader", "blind")
        for kind in ("broken", "good")
    }
    return "\n".join(lines) + "\n\n" + t["guard"].format(**shares) + "\n"


def _bounds(share: dict[str, Any]) -> str:
    low, high = share["interval"]
    return f"{share['value']:.2f} [{low:.2f}, {high:.2f}]"


def corpus() -> str:
    """How many texts of which kind the open corpus holds."""
    rows = [(d, d.utterances[0].lang, d.labels[0]) for d in load_open()]
    lines = ["| | English | Chinese |", "|---|---|---|"]

    def line(title: str, test: Callable[[Any, Any], bool]) -> None:
        counts = [
            sum(lang == wanted and test(d, labels) for d, lang, labels in rows) for wanted in LANGS
        ]
        lines.append(f"| {title} | {counts[0]:,} | {counts[1]:,} |")

    line("texts", lambda d, labels: True)
    line("of them in the test part", lambda d, labels: d.split == "test")
    line("undistorted", lambda d, labels: not labels.distortions)
    line("two labels or more", lambda d, labels: len(labels.distortions) > 1)
    for distortion in CANONICAL:
        line(f"`{distortion.value}`", lambda d, labels, x=distortion: x in labels.distortions)
    for level in (*Intensity, *Risk):
        kind = "intensity" if isinstance(level, Intensity) else "risk"
        line(
            f"{kind} {level.value}",
            lambda d, labels, x=level: x in (labels.intensity, labels.risk),
        )
    people = [len({d.group for d, lang, _ in rows if lang == wanted}) for wanted in LANGS]
    lines.append(f"| invented personas | {people[0]:,} | {people[1]:,} |")
    return "\n".join(lines) + "\n"


_TITLES: dict[Lang, dict[str, str]] = {
    "en": {
        "title": "# The words",
        "made": "Made from the code by `docs/generate.py`; do not edit.",
        "distortions": "## Distortions",
        "head": "| slug | name | also called | definition | example |",
        "matrix": "## Which strategy suits which distortion",
        "matrix_head": "| distortion | gold | silver | source |",
        "strategies": "## Strategies",
        "strategy_head": "| id | slug | name | what the speaker does |",
        "levels": "## Intensity and risk",
        "level_head": "| level | name |",
        "taxonomies": "## Label sets",
        "taxonomy_head": "| name | form | labels of ours it carries | source |",
        "corpus": "corpus label, not one of the twelve",
    },
    "zh": {
        "title": "# 术语",
        "made": "由 `docs/generate.py` 从代码生成，请勿手工修改。",
        "distortions": "## 认知扭曲",
        "head": "| 代号 | 名称 | 又称 | 定义 | 例子 |",
        "matrix": "## 各种扭曲适用的策略",
        "matrix_head": "| 扭曲 | 首选 | 备选 | 来源 |",
        "strategies": "## 策略",
        "strategy_head": "| 编号 | 代号 | 名称 | 说话者怎么做 |",
        "levels": "## 强度与风险",
        "level_head": "| 等级 | 名称 |",
        "taxonomies": "## 标签体系",
        "taxonomy_head": "| 名称 | 形式 | 能表示的扭曲数 | 来源 |",
        "corpus": "仅为语料标签，不在十二种之内",
    },
}


def leaderboard() -> str:
    """Every line of results/leaderboard.jsonl, one table for the same rows."""
    return (
        leaderboard_markdown(read_leaderboard(ROOT / "results/leaderboard.jsonl")).rstrip() + "\n"
    )


def cross_corpus() -> str:
    """The cross-corpus matrix by both splits, micro-F1, with how many test rows were seen."""
    m = json.loads((ROOT / "results/matrix/metrics.json").read_text(encoding="utf-8"))
    cells = {(c["mode"], c["train"], c["test"]): c for c in m["cells"]}
    lines = [
        f"| split | trained on | {' | '.join(m['corpora'])} |",
        "|---" * (len(m["corpora"]) + 2) + "|",
    ]
    for mode in ("published", "grouped"):
        for row in m["corpora"]:
            found = (cells[mode, row, column] for column in m["corpora"])
            shown = (
                f"{c['micro_f1']:.3f}" + f" ({c['seen']} seen)" * bool(c["seen"]) for c in found
            )
            lines.append(f"| {mode} | {row} | {' | '.join(shown)} |")
    floors = (f"{cells['published', c, c]['constant_micro_f1']:.3f}" for c in m["corpora"])
    return (
        "\n".join([*lines, f"| published | best constant answer | {' | '.join(floors)} |"]) + "\n"
    )


_POLICY = {
    "en": (
        "| policy | return | by predicted labels | left | policy-v1 earns more by (lowest run) |",
        "| labels seen | session | gold | gold, macro | gold + 0.75 silver | ΔQ > 0 at high risk | "
        "ΔQ > 0 below it |",
        "Mean over runs of the reward of a whole conversation with 2,000 people; in brackets the "
        "lowest and highest run. The last column: the difference over the same people in the run "
        "where it is smallest, with its 95 % interval. Made by `runs/policy_v1.sh`; everything "
        "else stands in [the report](../../results/policy-v1/report.md).",
    ),
    "zh": (
        "| 策略 | 回报 | 按检测到的标签 | 离开 | policy-v1 多得（差别最小的一次） |",
        "| 看到的标签 | 会话 | 首选 | 首选，宏平均 | 首选 + 0.75 次选 | 高危时 ΔQ > 0 | "
        "非高危时 ΔQ > 0 |",
        "和 2,000 个人整段对话的奖励，几次运行的平均；括号里是最低和最高的一次。"
        "最后一列是对同一批人的差别，取差别最小的一次，附 95 % 区间。"
        "由 `runs/policy_v1.sh` 生成，其余见[报告](../../results/policy-v1/report.md)。",
    ),
}  # fmt: skip


def policy(lang: Lang) -> str:
    """What the shipped policy earns beside the others, and its hits on held-out messages."""
    m = json.loads((ROOT / "results/policy-v1/metrics.json").read_text(encoding="utf-8"))
    first, hits, note = _POLICY[lang]
    lines = [first, "|---|---|---|---|---|"]
    for system in m["systems"]:
        name = system["name"]
        rows = [r for r in m["returns"] if r["system"] == name and r["shield"]]
        cells = [_over([r["mean"]["value"] for r in rows if r["labels"] == labels], 2)
                 for labels in ("gold", "predicted")]  # fmt: skip
        left = mean(r["habits"]["ends"].get("left", 0) / r["mean"]["n"]
                    for r in rows if r["labels"] == "gold")  # fmt: skip
        gaps = [d["undiscounted"] for d in m["return_differences"] if d["second"] == name]
        least = min(gaps, key=lambda gap: gap["value"], default=None)
        shown = ""
        if least is not None:
            low, high = least["interval"]["low"], least["interval"]["high"]
            shown = f"{least['value']:.2f} [{low:.2f}, {high:.2f}]"
        lines.append(f"| {name} | {' | '.join(cells)} | {100 * left:.0f} % | {shown} |")
    lines += ["", note, "", hits, "|---" * 7 + "|"]
    for labels, session in (
        ("gold", "as found"),
        ("gold", "after listening"),
        ("predicted", "as found"),
    ):
        rows = [r for r in m["lines"] if r["system"] == m["systems"][0]["name"]
                and r["labels"] == labels and r["session"] == session]  # fmt: skip
        bare = [r for r in rows if not r["shield"]] or rows
        totals = [_over([r["scores"]["totals"][k]["value"] for r in bare], 3)
                  for k in ("gold", "macro_gold", "combined")]  # fmt: skip
        above = [_over([r["advantage"][side]["positive"]["value"] for r in bare], places)
                 for side, places in (("high", 3), ("below", 4))]  # fmt: skip
        lines.append(f"| {labels} | {session} | {' | '.join([*totals, *above])} |")
    return "\n".join(lines) + "\n"


def _over(values: list[float], places: int) -> str:
    """The mean over runs, with the lowest and highest where they differ."""
    middle, low, high = mean(values), min(values), max(values)
    ends = f" ({low:.{places}f} to {high:.{places}f})" if round(high - low, places) else ""
    return f"{middle:.{places}f}{ends}"


def words(lang: Lang) -> str:
    """The taxonomy page."""
    t = _TITLES[lang]
    lines = [
        t["title"],
        "",
        t["made"],
        "",
        t["distortions"],
        "",
        t["head"],
        "|---|---|---|---|---|",
    ]
    for d in (*CANONICAL, *sorted(CORPUS_ONLY)):
        note = f" ({t['corpus']})" if d in CORPUS_ONLY else ""
        also = "；".join(d.aliases_in(lang)) if lang == "zh" else "; ".join(d.aliases_in(lang))
        lines.append(
            f"| `{d.value}` | {d.name_in(lang)}{note} | {also} | {d.definition_in(lang)} "
            f"| {d.example_in(lang)} |"
        )
    lines += ["", t["strategies"], "", t["strategy_head"], "|---|---|---|---|"]
    lines += [
        f"| {s.action_id} | `{s.value}` | {s.name_in(lang)} | {s.speaker_in(lang)} |"
        for s in Strategy
    ]
    lines += ["", t["matrix"], "", t["matrix_head"], "|---|---|---|---|"]
    lines += [
        f"| `{d.value}` | {row.gold.action_id} {row.gold.name_in(lang)} "
        f"| {', '.join(f'{s.action_id} {s.name_in(lang)}' for s in row.silver)} | {row.source} |"
        for d, row in matrix().items()
    ]
    lines += ["", t["levels"], "", t["level_head"], "|---|---|"]
    lines += [f"| `{m.value}` | {m.name_in(lang)} |" for m in (*Intensity, *Risk)]
    lines += ["", t["taxonomies"], "", t["taxonomy_head"], "|---|---|---|---|"]
    lines += [
        f"| `{x.name}` | {x.form} | {len(x.covered)} | {x.source} |" for x in taxonomies().values()
    ]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": command_line,
    "docs/reference/protocol.md": lambda: run("protocol", "--lang", "en"),
    "docs/reference/words.md": lambda: words("en"),
    "docs/zh/protocol.md": lambda: run("protocol", "--lang", "zh"),
    "docs/zh/words.md": lambda: words("zh"),
}
BLOCKS: dict[str, Callable[[], str]] = {
    "floors": floors,
    "contracts": contracts,
    "transcript_en": lambda: fenced(transcript("en")),
    "transcript_zh": lambda: fenced(transcript("zh")),
    "figures_en": lambda: figures("en"),
    "figures_zh": lambda: figures("zh"),
    "safety_en": lambda: safety("en"),
    "safety_zh": lambda: safety("zh"),
    "corpus": corpus,
    "leaderboard": leaderboard,
    "matrix": cross_corpus,
    "risk": risk,
    "policy_en": lambda: policy("en"),
    "policy_zh": lambda: policy("zh"),
}
HOSTS = (
    "README.md",
    "README.zh.md",
    "DATA.md",
    "docs/explain/architecture.md",
    "docs/explain/policy.md",
    "docs/zh/policy-explained.md",
    "results/README.md",
)


def fresh() -> dict[str, str]:
    """Every generated file as it should be, by path."""
    files = {path: make() for path, make in PAGES.items()}
    for path in HOSTS:
        text = (ROOT / path).read_text(encoding="utf-8")
        files[path] = _BLOCK.sub(lambda m: m[1] + BLOCKS[m[2]]() + m[3], text)
    return files


def main() -> None:
    """Rewrite what is out of date."""
    for path, text in fresh().items():
        file = ROOT / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            sys.stderr.write(f"wrote {path}\n")


if __name__ == "__main__":
    main()
