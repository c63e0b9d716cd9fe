"""untwist chat: a conversation in the terminal. Nothing is stored, nothing leaves the machine."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from untwist.engine import Engine
from untwist.errors import DataError, SafetyError
from untwist.schema import Turn, Utterance
from untwist.taxonomy import Lang

_TEXTS: dict[Lang, dict[str, str]] = {
    "en": {
        "notice": (
            "untwist is a computer program (AI), not a person and not a clinician. Nothing you\n"
            "write is stored. If you may be in danger now, call your local emergency number or\n"
            "find a helpline at https://findahelpline.com\n"
            "Write what is on your mind, in English or Chinese. /help shows what else you can do."
        ),
        "help": (
            "/why   what was heard in your last message, and which strategy was chosen\n"
            "/help  this list, and where to find people who help\n"
            "/quit  leave (so does Ctrl-D)\n"
            "People who listen, in many countries: https://findahelpline.com"
        ),
        "nothing": "Nothing has been said yet.",
        "bye": "Take care. Nothing was stored.",
        "heard": "heard",
        "none": "no cognitive distortion",
        "intensity": "intensity",
        "strategy": "strategy",
        "unknown": "There is no such command.",
    },
    "zh": {
        "notice": (
            "untwist 是电脑程序（AI），不是真人，也不是专业人员。你写的内容不会被保存。\n"
            "如果你现在可能有危险，请拨打当地的紧急电话，\n"
            "或在 https://findahelpline.com 查找热线。\n"
            "想说什么就写什么，中文英文都可以。输入 /help 看看还能做什么。"
        ),
        "help": (
            "/why   上一句话里听到了什么，选了哪种做法\n"
            "/help  这份说明，以及在哪里能找到愿意倾听的人\n"
            "/quit  离开（Ctrl-D 也可以）\n"
            "各国的倾听热线：https://findahelpline.com"
        ),
        "nothing": "还没有说过话。",
        "bye": "保重。没有保存任何内容。",
        "heard": "听到",
        "none": "没有认知扭曲",
        "intensity": "强度",
        "strategy": "做法",
        "unknown": "没有这个命令。",
    },
}
_PACE = 0.03
"""Seconds between words on a terminal; a reply that is there at once reads like a form."""


@dataclass
class Talk:
    """One conversation, in memory only."""

    engine: Engine
    say: Callable[[str], None]
    lang: Lang = "en"
    history: list[Utterance] = field(default_factory=list)
    last: Turn | None = None

    def hear(self, line: str) -> bool:
        """Answer one line; False when the person wants to leave."""
        words = _TEXTS[self.lang]
        if not line.startswith("/"):
            self._answer(line)
            return True
        name = line[1:].strip().lower()
        if name in ("quit", "exit", "q"):
            self.say(words["bye"])
            return False
        answers = {"help": words["help"], "why": self._why()}
        self.say(answers.get(name) or f"{words['unknown']}\n{words['help']}")
        return True

    def _answer(self, line: str) -> None:
        try:
            message = Utterance(line)
            self.lang = message.lang or self.lang
            turn = self.engine.turn(message, self.history)
        except (DataError, SafetyError) as error:
            self.say(str(error))
            return
        self.last = turn
        self.history += [message, Utterance(turn.reply.text, turn.reply.lang, role="assistant")]
        self.say(turn.reply.text)

    def _why(self) -> str:
        words, lang = _TEXTS[self.lang], self.lang
        if self.last is None:
            return words["nothing"]
        assessment, choice = self.last.assessment, self.last.choice
        text = assessment.utterance.text
        lines = [
            f"{words['heard']}: {f.distortion.name_in(lang)} ({f.score:.2f}) "
            f"“{text[f.start : f.end] if f.start is not None else text}”\n"
            f"    {f.distortion.definition_in(lang)}"
            for f in assessment.findings
        ] or [f"{words['heard']}: {words['none']}"]
        if assessment.intensity:
            lines.append(f"{words['intensity']}: {assessment.intensity.name_in(lang)}")
        strategy = choice.strategy
        lines.append(f"{words['strategy']}: {strategy.name_in(lang)}: {strategy.speaker_in(lang)}")
        return "\n".join(lines)


@click.command("chat", epilog="Example: untwist chat --region GB")
@click.option("--locale", type=click.Choice(["en", "zh"]), help="Always answer in this language.")
@click.option("--region", metavar="XX", help="Country code, for help lines.")
def command(locale: Lang | None, region: str | None) -> None:
    """Talk a thought through, one small step at a time.

    untwist is a program and no substitute for care by people. Answers come in the language you
    write in. Nothing is stored.
    """
    engine = Engine.default(conversation=True, region=region, locale=locale)
    talk = Talk(engine, _say, locale or "en")
    for lang in (locale,) if locale else ("en", "zh"):
        click.echo(_TEXTS[lang]["notice"] + "\n")
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except (EOFError, KeyboardInterrupt):
            click.echo("\n" + _TEXTS[talk.lang]["bye"])
            return
        except UnicodeDecodeError:
            _say(_TEXTS[talk.lang]["help"])
            continue
        if line and not talk.hear(line):
            return


def _say(text: str) -> None:
    """Print a text word by word on a terminal, at once elsewhere."""
    if sys.stdout.isatty():
        for piece in re.findall(r"\s*(?:[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+)|\s+$", text):
            click.echo(piece, nl=False)
            sys.stdout.flush()
            time.sleep(_PACE)
        click.echo("\n")
    else:
        click.echo(text + "\n")
