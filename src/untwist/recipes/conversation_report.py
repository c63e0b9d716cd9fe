"""The report of simulated conversations, and some of them written out."""

from __future__ import annotations

from collections.abc import Sequence

from untwist.recipes.conversation_faults import FAULTS, Talk
from untwist.schema import Json

REPORT, TALKS = "report.md", "talks.md"
_NAMES = {"en": "English", "zh": "Chinese"}


def report(command: str, turns: int, metrics: Json) -> str:
    """The report as Markdown."""
    langs = metrics["langs"]
    engine = ", ".join(f"{part} {name}" for part, name in metrics["engine"].items())
    lines = [
        "# Conversations with simulated people",
        "",
        f"Command: `{command}`. Engine: {engine}.",
        "",
        f"Every person writes {turns} messages. They are simulated: how belief, distress and trust",
        "change is assumed, what they write was made up, and no number here says how people would",
        "fare. It shows what the engine does when it is answered, not answered, refused or left.",
        "",
        _row("", *(_NAMES[lang] for lang in langs)),
        _row(*["---"] * (len(langs) + 1)),
        _row("conversations", *(str(one["conversations"]) for one in langs.values())),
        _row("replies", *(str(one["replies"]) for one in langs.values())),
        _row("crashes", *(str(one["crashes"]) for one in langs.values())),
        _row("danger was heard", *(str(one["in danger"]) for one in langs.values())),
        _row(
            "balanced thought or agreed stop, without danger",
            *(_share(one["reached"]) for one in langs.values()),
        ),
        _row("of these a balanced thought", *(_share(one["balanced"]) for one in langs.values())),
        "",
        "## What went wrong, in conversations",
        "",
        _row("fault", "what it is", *(_NAMES[lang] for lang in langs)),
        _row(*["---"] * (len(langs) + 2)),
    ]
    for name, meaning in FAULTS.items():
        found = (_share(one["faults"][name]["conversations"]) for one in langs.values())
        lines.append(_row(name, meaning, *found))
    lines += ["", "## Where it reached an end, by group of people", ""]
    lines += [_row("group", *(_NAMES[lang] for lang in langs)), _row(*["---"] * (len(langs) + 1))]
    for group in sorted({g for one in langs.values() for g in one["groups"]}):
        lines.append(_row(group, *(_share(one["groups"].get(group)) for one in langs.values())))
    return "\n".join([*lines, *_varied(langs)]) + "\n"


def _varied(langs: Json) -> list[str]:
    lines = [
        "",
        "## Variety",
        "",
        "Equal numbers of replies are drawn. The templates are those of a keyword program, written",
        "for this comparison, for the same messages.",
        "",
        _row("language", "replies of", "in a draw", "distinct-2", "self-BLEU"),
        _row(*["---"] * 5),
    ]
    for lang, one in langs.items():
        for name, found in one["variety"].items():
            numbers = (_number(found["distinct_2"]), _number(found["self_bleu"]))
            lines.append(_row(_NAMES[lang], name, str(found["size"]), *numbers))
    for lang, one in langs.items():
        opening = one["openings"]
        if opening["share"] is not None:
            lines += [
                "",
                f"{_NAMES[lang]}: {opening['different']} different openings; the commonest, "
                f"“{opening['commonest']}”, begins {opening['share']:.1%} of the replies.",
            ]
    return lines


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _share(found: Json | None) -> str:
    if not found or found["value"] is None:
        return "–"
    low, high = found["interval"]
    return f"{found['value']:.3f} [{low:.3f}, {high:.3f}] ({found['hits']}/{found['of']})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def talks(shown: Sequence[Talk]) -> str:
    """Some conversations as they were, to be read."""
    lines = ["# Some of the simulated conversations, as they were", ""]
    for number, talk in enumerate(shown, start=1):
        lines += [f"## {number}, group {talk.group}", ""]
        for turn in talk.turns:
            step = turn.reply.step
            place = f"{step.protocol}/{step.name}/{step.branch or 'asks'}" if step else "no step"
            said = turn.reply.text.replace("\n", " ")
            lines += [f"- **{turn.assessment.utterance.text}**", f"  - {said} *({place})*"]
        lines.append("")
    return "\n".join(lines)
