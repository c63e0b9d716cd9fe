"""untwist chat: a conversation in the terminal. Nothing is stored unasked, nothing leaves.

With a language model as the responder, what is written goes to it, and its sentences are shown as
soon as they have passed the guard.
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click

from untwist.cli.live import Show, followed, rest_of
from untwist.cli.watch import Watch
from untwist.cli.worksheet import keep_page
from untwist.engine import ASKED, DEFAULT_POLICY, SCRIPTED, Engine, session_before
from untwist.errors import DataError, SafetyError
from untwist.policy import Ranker, explanation_of
from untwist.respond import progress, worksheet_markdown, worksheet_of
from untwist.safety import (
    Audience,
    Settings,
    allowed,
    digit_strings,
    help_block,
    read_referrals,
    regions,
)
from untwist.schema import Turn, Utterance
from untwist.taxonomy import Lang
from untwist.text import LOCALES, Locale, language, locale_of

_TEXTS: dict[Locale, dict[str, str]] = {
    "en": {
        "notice": (
            "untwist is a computer program (AI), not a person and not a clinician.\n"
            "Nothing you write is stored. If you may be in danger now, call your local\n"
            "emergency number or find a helpline at https://findahelpline.com\n"
            "Write what is on your mind, in English or Chinese.\n"
            "/help shows what else you can do."
        ),
        "help": (
            "/why   what was heard in your last message, and which strategy was chosen\n"
            "/page  your words as a worksheet; /page FILE keeps it in a file\n"
            "/help  this list, and where to find people who help\n"
            "/quit  leave (so does Ctrl-D)\n"
        ),
        "unreadable": "That message could not be read. You can send it again in other words.\n",
        "kept": "Kept as the last line of {}. Show it with: untwist worksheet export {}",
        "danger": "what you wrote may speak of danger, so safety comes first",
        "nothing": "Nothing has been said yet.",
        "bye": "Take care. Nothing was stored.",
        "bye_kept": "Take care. Only the page that you kept was stored.",
        "colon": ": ",
        "heard": "heard",
        "none": "no cognitive distortion",
        "intensity": "intensity",
        "strategy": "strategy",
        "thread": "The reply goes on with what it had begun; chosen for this message was: {}.",
        "unknown": "There is no such command.",
        "model": "Replies are worded by {}: what you write goes to it, wherever it runs.",
        "back": "(The lines above are taken back.)",
        "words": "words",
        "refused": "prepared, since the model's were held back ({})",
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
            "/page  把你说过的整理成工作表；/page 文件名 会存进文件\n"
            "/help  这份说明，以及在哪里能找到愿意倾听的人\n"
            "/quit  离开（Ctrl-D 也可以）\n"
        ),
        "unreadable": "这条消息读不出来，可以换个说法再发一次。\n",
        "kept": "已存为 {} 的最后一行。查看：untwist worksheet export {}",
        "danger": "你写的内容可能关系到安全，所以先顾安全",
        "nothing": "还没有说过话。",
        "bye": "保重。没有保存任何内容。",
        "bye_kept": "保重。只保存了你要留下的那一页。",
        "colon": "：",
        "heard": "听到",
        "none": "没有认知扭曲",
        "intensity": "强度",
        "strategy": "做法",
        "thread": "这次回应接着做已经开始的那一步；为这句话选的是：{}。",
        "unknown": "没有这个命令。",
        "model": "回复由 {} 措辞：你写的内容会发给它，不管它在哪里运行。",
        "back": "（上面几句收回。）",
        "words": "措辞",
        "refused": "预先写好的，模型写的没有放行（{}）",
    },
    "zh-Hant": {
        "notice": (
            "untwist 是電腦程式（AI），不是真人，也不是專業人員。你寫的內容不會被儲存。\n"
            "如果你現在可能有危險，請撥打當地的緊急電話，\n"
            "或在 https://findahelpline.com 查詢熱線。\n"
            "想說什麼就寫什麼，中文英文都可以。輸入 /help 看看還能做什麼。"
        ),
        "help": (
            "/why   上一句話裡聽到了什麼，選了哪種做法\n"
            "/page  把你說過的整理成工作表；/page 檔名 會存進檔案\n"
            "/help  這份說明，以及在哪裡能找到願意傾聽的人\n"
            "/quit  離開（Ctrl-D 也可以）\n"
        ),
        "unreadable": "這條訊息讀不出來，可以換個說法再傳一次。\n",
        "kept": "已存為 {} 的最後一行。檢視：untwist worksheet export {}",
        "danger": "你寫的內容可能關係到安全，所以先顧安全",
        "nothing": "還沒有說過話。",
        "bye": "保重。沒有儲存任何內容。",
        "bye_kept": "保重。只儲存了你要留下的那一頁。",
        "colon": "：",
        "heard": "聽到",
        "none": "沒有認知扭曲",
        "intensity": "強度",
        "strategy": "做法",
        "thread": "這次回應接著做已經開始的那一步；為這句話選的是：{}。",
        "unknown": "沒有這個指令。",
        "model": "回覆由 {} 措辭：你寫的內容會發給它，不管它在哪裡執行。",
        "back": "（上面幾句收回。）",
        "words": "措辭",
        "refused": "預先寫好的，模型寫的沒有放行（{}）",
    },
}
_REFERRING = {"resource", "help", "help_block"}
"""Parts of a reply that say where help is."""
_LEAVING = ("/quit", "/exit", "/q", "quit", "exit")
_HAN = re.compile("[\u4e00-\u9fff]")
_PIECE = re.compile("\\s*(?:[\u4e00-\u9fff]|[^\\s\u4e00-\u9fff]+)")
_PACE = 0.03
"""Seconds between words on a terminal; a reply that is there at once reads like a form."""


@dataclass
class Talk:
    """One conversation, in memory only."""

    engine: Engine
    say: Callable[[str], None]
    locale: Locale = "en"
    history: list[Utterance] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    kept: bool = False
    show: Show | None = None

    @property
    def farewell(self) -> str:
        """The last line, which says what was stored."""
        return _TEXTS[self.locale]["bye_kept" if self.kept else "bye"]

    def hear(self, line: str) -> bool:
        """Answer one line; False when the person wants to leave."""
        words = _TEXTS[self.locale]
        if line.lower() in _LEAVING:
            self.say(self.farewell)
            return False
        if not line.startswith("/"):
            self._answer(line)
            for notice in self.watch.notices(line, self.locale):
                self.say(notice)
            return True
        name, _, rest = line.partition(" ")
        if name.lower() == "/page":
            self.say(self._page(rest.strip()))
            return True
        answers = {"/help": self._help(), "/why": self._why()}
        self.say(answers.get(line.lower()) or f"{words['unknown']}\n{self._help()}")
        return True

    @property
    def _lang(self) -> Lang:
        return "en" if self.locale == "en" else "zh"

    def _help(self) -> str:
        return _TEXTS[self.locale]["help"] + "\n" + help_block(self.locale, self.engine.region)

    def _page(self, file: str) -> str:
        """The worksheet so far, shown or kept; only what a person asks to keep is written."""
        sheet = worksheet_of(progress(self.history, self.turns))
        if not file:
            return worksheet_markdown(sheet, self.locale, region=self.engine.region)
        try:
            keep_page(Path(file), sheet)
        except DataError as error:
            return str(error)
        self.kept = True
        return _TEXTS[self.locale]["kept"].format(file, file)

    def _answer(self, line: str) -> None:
        """Nobody is left with an error alone: what cannot be read is answered with help."""
        # a broken character must not cost a person the answer to the rest of the line
        readable = line.encode("utf-8", "ignore").decode("utf-8").replace("\x00", "")
        try:
            message = Utterance(readable, language(readable) or self._lang)
            earlier = (u.text for u in reversed(self.history))
            self.locale = locale_of(
                message.lang or self._lang, (readable, *earlier), self.engine.region
            )
            stream = self.engine.stream(message, self.history, self.turns)
            turn, shown = followed(stream, self.show)
        except DataError:
            unreadable = _TEXTS[self.locale]["unreadable"]
            self.say(unreadable + help_block(self.locale, self.engine.region))
            self._referred()
            return
        except SafetyError as error:
            self.say(str(error))
            self._referred()
            return
        self.turns.append(turn)
        self.history += [message, Utterance(turn.reply.text, turn.reply.lang, role="assistant")]
        rest = rest_of(turn.reply.text, shown)
        if rest is None:
            self.say("\n" + _TEXTS[self.locale]["back"])
        self.say(turn.reply.text if rest is None else rest)
        if _REFERRING & set(turn.reply.parts):
            self._referred()

    def _referred(self) -> None:
        """A count that cannot be written must not end the talk of someone who needs help."""
        try:
            self.watch.referred(self._lang, self.history)
        except DataError as error:
            click.echo(f"not counted: {error}", err=True)

    def _why(self) -> str:
        words, lang = _TEXTS[self.locale], self._lang
        if not self.turns:
            return words["nothing"]
        assessment, strategy = self.turns[-1].assessment, self.turns[-1].reply.strategy
        text, colon = assessment.utterance.text, words["colon"]
        heard = [
            f"{f.distortion.name_in(lang)} ({f.score:.2f}) “{text[f.start : f.end]}”\n"
            f"    {f.distortion.definition_in(lang)}"
            for f in assessment.findings
        ]
        if assessment.acuity:
            heard = [words["danger"]]
        lines = [f"{words['heard']}{colon}{one}" for one in heard or [words["none"]]]
        if assessment.intensity:
            lines.append(f"{words['intensity']}{colon}{assessment.intensity.name_in(lang)}")
        doing = f"{strategy.name_in(lang)}{colon}{strategy.speaker_in(lang)}"
        lines.append(f"{words['strategy']}{colon}{doing}")
        return "\n".join([*lines, *self._wording(), *self._ranking()])

    def _wording(self) -> list[str]:
        """Who found the words, where a language model may."""
        words, turn = _TEXTS[self.locale], self.turns[-1]
        if not turn.versions["responder"].startswith(ASKED):
            return []
        refused = words["refused"].format(", ".join(turn.verdict.rules))
        said = refused if turn.replaced else turn.reply.responder
        return [f"{words['words']}{words['colon']}{said}"]

    def _ranking(self) -> list[str]:
        """Why this strategy now, and what else was allowed; where the policy can say."""
        turn, policy = self.turns[-1], self.engine.policy
        if not isinstance(policy, Ranker):
            return []
        heard, chosen = turn.assessment, turn.choice.strategy
        session = session_before(heard, self.history[:-2], self.turns[:-1])
        lines = explanation_of(policy, heard, allowed(heard.risk), session, self.locale).lines
        if chosen is turn.reply.strategy:
            return [*lines]
        return [_TEXTS[self.locale]["thread"].format(chosen.name_in(self._lang)), *lines]


_EXAMPLES = """\b
Examples:
  untwist chat --region GB
  untwist chat --region US --counters referrals.json
  untwist chat --responder llm:my-model
"""


@click.command("chat", epilog=_EXAMPLES)
@click.option("--locale", type=click.Choice(LOCALES), help="Always answer in this language.")
@click.option("--region", metavar="XX", help=f"Country for help lines: {', '.join(regions())}.")
@click.option(
    "--counters", metavar="FILE",
    help="Count in FILE how often help was shown: month, region, language, nothing else.",
)  # fmt: skip
@click.option(
    "--policy", metavar="matrix|learned|DIR", default=DEFAULT_POLICY, show_default=True,
    help="Who chooses the strategy.",
)  # fmt: skip
@click.option(
    "--responder", metavar="scripted|llm:NAME", default=SCRIPTED, show_default=True,
    help="Who speaks; what is written goes to wherever the language model runs.",
)  # fmt: skip
@click.option("--minor", is_flag=True, help="For a minor: other wording, reminders every hour.")
@click.option("--new-york", is_flag=True, help="Also the notice in capitals for New York.")
def command(
    locale: Locale | None,
    region: str | None,
    counters: str | None,
    policy: str,
    responder: str,
    minor: bool,
    new_york: bool,
) -> None:
    """Talk a thought through, one small step at a time.

    untwist is a program and no substitute for care by people. Answers come in the language you
    write in. Nothing you write is stored.
    """
    engine = Engine.default(
        conversation=True, region=region, locale=locale, policy=policy, responder=responder
    )
    if counters is not None:
        read_referrals(counters)
    audience = Audience.MINOR if minor else Audience.UNKNOWN
    watch = Watch(audience, Settings(new_york=new_york), counters, region)
    show = _show if responder != SCRIPTED and sys.stdout.isatty() else None
    talk = Talk(engine, _say, locale or "en", watch=watch, show=show)
    shown: tuple[Locale, ...] = (locale,) if locale else LOCALES[:2]
    for code in shown:
        click.echo(_TEXTS[code]["notice"] + "\n")
        if responder != SCRIPTED:
            click.echo(_TEXTS[code]["model"].format(engine.responder.name) + "\n")
    for text in watch.opening(shown):
        click.echo(text + "\n")
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").strip()
        except (EOFError, KeyboardInterrupt):
            click.echo("\n" + talk.farewell)
            return
        if line and not talk.hear(line):
            return


def _show(piece: str) -> None:
    """Print a part of a reply at once."""
    click.echo(piece, nl=False)
    sys.stdout.flush()


def _say(text: str) -> None:
    """Print a text; on a terminal wrapped, and word by word.

    Where there is a number to call, and after Ctrl-C, all of it is there at once.
    """
    if not sys.stdout.isatty():
        click.echo(text + "\n")
        return
    width = min(shutil.get_terminal_size().columns, 100) - 1
    rest = "\n".join(
        line if _HAN.search(line) else textwrap.fill(line, width) for line in text.split("\n")
    )
    urgent = any(digits in text for digits in digit_strings())
    try:
        while not urgent and (piece := _PIECE.match(rest)):
            click.echo(piece[0], nl=False)
            rest = rest[piece.end() :]
            sys.stdout.flush()
            time.sleep(_PACE)
    except KeyboardInterrupt:
        pass
    click.echo(rest + "\n")
