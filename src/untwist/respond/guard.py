"""The guard: reads every draft, whoever wrote it, before the person does.

It adds to the rules of safe wording (R..., `untwist.safety.violations`) what a draft can get wrong
as a reply: G01 empty, G02 wrong language, G03 too long, G04 more than one question, G05 inner
names or prompt text, G06 no contact at high risk, G07 reads like drafts that break a rule. A
generated draft is read more strictly, with a scripted reply behind it: G08 speaks of itself as no
program may, G09 a number from nowhere, G10 orders or advice (`untwist.respond.strict`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from untwist import safety
from untwist.respond.strict import strict_faults
from untwist.schema import Assessment, Reply, Verdict
from untwist.taxonomy import Distortion, Intensity, Lang, Risk, Strategy
from untwist.text import language, normalize

DraftStopper = Callable[[str, Risk, Sequence[str]], bool]
"""Hears a draft, the risk of the message that it answers, and the rules that patterns found."""
FIXED = "scripted@"
"""How the name of a responder begins that says fixed texts only."""
MAX_WORDS = 250
"""Longest English reply."""
MAX_HAN = 500
"""Longest Chinese reply, in characters without spaces."""

_QUESTION = re.compile(r"[?？]+")
_QUOTED = re.compile(r"“[^“”]*”|\"[^\"\n]*\"|「[^「」]*」")
_HAN = re.compile("[\u3400-\u9fff]")
_WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# Words of other languages in Latin letters that no English sentence has three of.
_ELSEWHERE = frozenset(
    re.findall(
        r"\S+",
        "muy para ti qué cómo estás pero gracias porque más está eres mucho ahora también difícil"
        " je suis vous êtes tu es nous avec maintenant c'est que très mais pas d'accord ich bin"
        " nicht und wie dir du sie sind ist aber auch não você obrigado muito está agora sono sei"
        " perché molto adesso",
    )
)
_MOST_ELSEWHERE = 2
"""Most such words in an English reply."""
# Names that a Chinese sentence has in Latin letters.
_NAMES = re.compile(
    r"(?<![a-z])(?:ai|cbt|dbt|act|app|apps|ok|okay|findahelpline|nhs|who|samaritans|shout|lifeline"
    r"|befrienders|throughline|untwist|wi-?fi|iphone|ipad|android|bilibili|ppt|kpi|mbti|dna|gpa|ktv"
    r"|hr|phd|toefl|ielts|gre|gmat|sat|vip|email|logo|offer|deadline)(?![a-z])",
    re.IGNORECASE,
)
_LETTER = "[a-z\u00c0-\u024f\u1e00-\u1eff]"
_LATIN = re.compile(rf"(?<!{_LETTER}){_LETTER}{{3,}}(?!{_LETTER})", re.IGNORECASE)
_LATIN_ROW = re.compile(rf"{_LATIN.pattern}[\s,.'-]+{_LATIN.pattern}", re.IGNORECASE)
_MOST_LATIN = 2
"""Most words in Latin letters in a Chinese reply, less names."""
_CONTACT = re.compile(
    r"\bemergency (?:numbers?|services?|lines?|room|department)\b|\b(?:crisis|suicide|support"
    r"|listening) (?:lines?|hotlines?|helplines?|lifelines?|text ?lines?|services?|teams?)\b"
    r"|\bhelp ?lines?\b"
    r"|\bhotlines?\b|\bsamaritans\b|\bambulance\b|\ba&e\b"
    r"|\b(?:go to|stay with|sit with|be with|wake|call|ring|get|find|tell|ask) (?:up )?"
    r"(?:someone|somebody|a person|anyone) (?:who is |who's )?(?:near you|nearby|close by"
    r"|beside you|next door|in the (?:house|building))\b"
    r"|(?:求助|援助|心理|危机|当地)[^。！？\n]{0,4}(?:热线|电话)"
    r"|紧急(?:服务|电话|号码|求助)|急救(?:电话|中心)|急诊|救护车|报警"
)
_FOREIGN = re.compile("[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff]")
_ADDRESS = re.compile(r"https?://\S+|\b[\w-]+\.(?:com|org|net|cn)\b")
_LEAK = re.compile(
    # Markup, templates and code that a person is never shown.
    r"\bjson\b(?! is\b)|\{[^{}]*\}|[{}]|```|<\|[^|]*\|>|\[/?inst\]|#{2,}|</?[a-z_][^<>\n]{0,30}>"
    r"|untwist-12|\ba[0-9]\b\s*[:=：]|\b(?:null|nan|undefined)\b|\bstop ?token"
    # A heading of a part of a prompt or of a plan, in brackets or before a colon.
    r"|[\[【(（〔][^\])】）〕\n]{0,20}(?:system|instruct|prompt|strateg|assistant|internal|analysis|"
    r"risk|note to|reflection|validat|系统|指令|提示|策略|内部|分析|风险|助手|规则|模板|共情)"
    r"[^\])】）〕\n]{0,20}[\])】）〕]"
    r"|^\s*[\[【][^\]】\n]{1,30}[\]】]"
    r"|\[(?:insert|your|user|name|first name|activity|region|country|city|number|phone|hotline|date"
    r"|placeholder|link)\b[^\]\n]{0,40}\]|\b(?:todo|fixme)\s*[:：]|\bxxx+\b"
    # A stage direction between stars.
    r"|\*(?:\w+ )?(?:nods?|leans?|smiles?|looks?|sits?|takes?|places?|hugs?|sighs?|pauses?|listens?"
    r"|reaches|gives|holds|offers|breathes|waits?|thinks?|tilts?|hands)\b[^*\n]{0,60}\*"
    r"|[(（*\[](?:[^)）*\]\n]{0,12})(?:empath|warmly|softly|gently|pauses?|sighs?|smil|nods?"
    r"|温柔地?|微笑|点头|停顿|语气|轻声)[^)）*\]\n]{0,20}[)）*\]]"
    r"|(?:^|[.。!！?？\n\s*(])(?:system|assistant|user|human|ai|bot|supporter|counsel+or|seeker|client"
    r"|response|reply|output|draft|strategy|technique|distortions?|risk(?: level| score)?|intensity"
    r"|intent|emotion|context|instructions?|reasoning|thought process|analysis|plan|goal|step \d+"
    r"|note to self|guideline|rule \d+|category|label|confidence|target|stage|persona|tone)"
    r"\**\s*[:=：]"
    r"|^(?:sure|certainly|of course|okay|ok)[,!.:]? here(?:'s| is| are)?(?: \w+){0,3} (?:response"
    r"|reply|replies|draft|message|rewrite|rewording|version|answer|text|output|summary|translation)\b",
    re.IGNORECASE | re.MULTILINE,
)
# Talk about the prompt, the rules, the model or the person as "the user".
_TALK = re.compile(
    r"\b(?=\w)(?:"
    r"(?<!\byour )(?:system|developer|hidden|initial|original|base) (?:prompt|message|instructions?"
    r"|rules?)\b"
    r"|my (?:system |hidden |internal |own )?(?:prompt|instructions?|guidelines|rules|programming"
    r"|configuration|strategy|persona|script|training) (?:is|are|says?|tells?|wants?|requires?|does"
    r"|do|forbids?|asks?|here|for|don't|won't)\b"
    r"|(?:i was|i am|i'm|i've been|i have been) (?:\w+ )?(?:told|instructed|prompted|programmed"
    r"|configured|asked|supposed|required|fine-?tuned) (?:to|by|that|not)\b"
    r"|(?:according to|as per|following|based on|per|under|by) (?:the|my) (?:\w+ )?(?:prompt"
    r"|instructions?|guidelines?|rules|protocol|polic(?:y|ies)|strategy|template|system)\b"
    r"|as an? (?:ai )?(?:large )?language model\b|as instructed\b|the prompt\b"
    r"|(?:the|this) user(?:'s)?\b"
    r"|user(?:'s)? (?:message|input|said|says|feels|wrote|is|seems)\b"
    r"|(?:here(?:'s| is)|below is|this is) (?:a|an|the|my|your)(?: \w+){0,3} (?:response|reply"
    r"|draft|rewrite|rewording|version|output|answer) (?:to|for|that|using|in|with|:|based)"
    r"|(?:i(?:'ll| will| should| must| need to| am going to|'m going to)|let me|we need to"
    r"|strategy is|the strategy|using the|use the|apply(?:ing)?(?: the)?|chosen strategy"
    r"|selected strategy) "
    r"(?:\w+ ){0,2}(?:strategy|technique|reflection of feelings?|restatement|paraphras\w+"
    r"|validation|crisis_|self-disclosure|motivational interviewing|reflective listening)\b"
    r"|(?:risk|distortion|emotion|intensity|suicide risk) (?:level|score|label|class|assessment"
    r"|detected|category|flag)\b|(?:detected|classified|labell?ed|flagged|scored) (?:as|at)\b"
    r")",
    re.IGNORECASE,
)
_LEAK_ZH = re.compile(
    r"(?:^|[。.!！?？\n\s*(（])(?:系统|助手|用户|回复|回答|输出|草稿|策略|技巧|方法|扭曲(?:类型)?|风险(?:等级|级别|程度)?|强度"
    r"|意图|情绪(?:标签|类型)?|步骤[一二三\d]*|目标|分析|标签|类型|置信度|阶段|指令|规则[一二三\d]*"
    r"|人设|语气|思考|推理|注意事项|支持者|求助者)\s*[:=：]"
    r"|系统(?:提示|指令|消息|设定|要求|让我|规定)|提示词|(?:内部|隐藏|后台)(?:指令|规则|设定|说明)"
    r"|我(?:的|被)(?:系统|内部)?(?:指令|设定|提示|规则|编程|程序设定|人设|策略|要求是|训练(?:是|要求))"
    r"|我(?:被|是被)(?:要求|设定|指示|编程|训练|告知|规定)"
    r"|(?:根据|按照|依照|遵照|遵循|依据)(?:我的|系统|上述|以上|给定|内部|所给)?(?:的)?"
    r"(?:指令|设定|规则|提示|策略|模板|指南|系统|流程|要求)"
    r"|(?:该|这位|此|本)用户|用户(?:的|说|输入|消息|当前|处于|表达|可能|正在|感到|提到|目前|情绪)"
    r"|(?:语言|大)模型|(?:以下|下面)(?:是|为)(?:我的|给你的|一个|一段|对)?[^。\n]{0,6}(?:回复|回答|回应|草稿|答复)"
    r"|(?:我(?:将|会|要|应该|需要)|使用|采用|运用|选择的?|当前|本轮)[^。\n]{0,4}"
    r"(?:策略|技术|反映感受|复述|共情技巧|认知重构|肯定与安慰)"
    r"|(?:风险|扭曲|情绪|强度)(?:等级|级别|标签|评分|类别|判定|识别)",
    re.MULTILINE,
)
# A gap left to fill, or a stage direction; read on folded text, so in Traditional writing as well.
_UNFINISHED_ZH = re.compile(
    r"此处(?:插入|填|添加|省略|补)|(?:请|在此|这里)(?:插入|填入|填写|替换)|待(?:补|填)(?:充|写|全)?(?=$|[^\w])"
    r"|[\[<][^\])>\n]{0,8}(?:姓名|名字|昵称|地区|城市|国家|电话|号码|热线|日期|链接|活动)[\]>]"
    r"|(?:^|[(\[]) ?(?:注意|备注|说明):(?=[^\n]{0,20}(?:回复|回覆|语气|共情|鼓励|不要给|别太长))"
    r"|\*[^*\n]{0,8}(?:微笑|笑|点头|停顿|沉默|叹|抱|拥|倾听|轻声|温柔|轻轻|靠近|递|看着|坐|拍|握|倒)[^*\n]{0,16}\*"
    r"|[(\[][^)\]\n]{0,2}(?:微笑|点头|点了点头|停顿|沉默|叹气|叹了口气|抱抱|语气|轻声|温柔地|轻轻|递上|递给"
    r"|看着你|坐下|坐到|拍拍|握住)[^)\]\n]{0,12}[)\]]",
    re.MULTILINE,
)
# What a writer's tool leaves behind, in capitals.
_NOTE = re.compile(
    r"\b(?:T[O]DO|FI[X]ME)\b(?! list)|\b(?:INSERT|ADD|YOUR)_[A-Z_]{3,}"
    r"|\bEND OF (?:RESPONSE|REPLY)\b|%s\b"
)


@dataclass(frozen=True)
class ReplyGuard:
    """Satisfies `ports.Guard` and keeps no state.

    Attributes:
        conversation: at most one question is allowed (G04).
        stops: a reader that may stop what the patterns let pass (G07); None is patterns alone. It
            does not read our own fixed texts, which are checked in every combination when built.
            So it is with `strict`.
    """

    conversation: bool = False
    stops: DraftStopper | None = None
    strict: bool = False

    @classmethod
    def for_generated(cls, stops: DraftStopper | None = None) -> ReplyGuard:
        """The guard of what a language model writes for one turn of a conversation."""
        return cls(conversation=True, stops=stops, strict=True)

    def check(self, reply: Reply, assessment: Assessment) -> Verdict:
        """Which rules a draft breaks, given what was heard."""
        fixed = reply.responder.startswith(FIXED)
        guard = replace(self, stops=None, strict=False) if fixed else self
        return guard.check_text(reply.text, assessment.risk, reply.lang, assessment.utterance.text)

    def check_text(
        self,
        text: str,
        context: Risk,
        lang: Lang | None = None,
        user_text: str | None = None,
    ) -> Verdict:
        """Which rules a text breaks.

        Args:
            text: any reply, from any source.
            context: the risk of the message that it answers.
            lang: the language it must be in; None means any of the two.
            user_text: the message that it answers, when known.

        Returns:
            The ids of the broken rules in order, those of safe wording first.
        """
        if not normalize(text).text.strip():
            return Verdict(False, ("G01",))
        spoken = lang or language(text) or "en"
        broken = [
            *safety.violations(text, spoken, context, user_text=user_text),
            *self._own(text, context, lang),
            *(strict_faults(text, lang, user_text or "") if self.strict else ()),
        ]
        if self.stops and self.stops(text, context, tuple(dict.fromkeys(broken))):
            broken.append("G07")
        return Verdict(not broken, tuple(dict.fromkeys(broken)))

    def _own(self, text: str, context: Risk, lang: Lang | None) -> list[str]:
        checks = {
            "G02": not _in_language(text, lang),
            "G03": _too_long(text),
            "G04": self.conversation and len(_QUESTION.findall(_unquoted(text))) > 1,
            "G05": _leaks(text),
            "G06": context is Risk.HIGH and not _names_a_contact(text),
        }
        return [rule for rule, broken in checks.items() if broken]


def _unquoted(text: str) -> str:
    return _QUOTED.sub(" ", text)


def _in_language(text: str, lang: Lang | None) -> bool:
    """Whether the text, less quotations and addresses, is in the language asked for."""
    rest = _ADDRESS.sub(" ", _unquoted(text))
    if _FOREIGN.search(rest) or (_mixed(rest) if lang == "en" else lang and _mixed_zh(rest)):
        return False
    found = language(rest)
    return found is not None and lang in (None, found)


def _mixed(text: str) -> bool:
    """Whether an English text has words of another language that it does not quote."""
    words = set(_WORDS.findall(text.lower().replace("’", "'")))
    return bool(_HAN.search(text)) or len(words & _ELSEWHERE) > _MOST_ELSEWHERE


def _mixed_zh(text: str) -> bool:
    """Whether a Chinese text has English words that are no names and that it does not quote."""
    rest = _NAMES.sub("、", text)
    return bool(_LATIN_ROW.search(rest)) or len(_LATIN.findall(rest)) > _MOST_LATIN


def _too_long(text: str) -> bool:
    if _HAN.search(text) and language(text) == "zh":
        return len("".join(text.split())) > MAX_HAN
    return len(text.split()) > MAX_WORDS


@cache
def _slugs() -> re.Pattern[str]:
    members = [*Distortion, *Strategy]
    slugs = sorted({m.value for m in members if "_" in m.value} | {i.name for i in Intensity})
    return re.compile("|".join(rf"\b{re.escape(slug)}\b" for slug in slugs))


def _leaks(text: str) -> bool:
    if any(pattern.search(text) for pattern in (_LEAK, _TALK, _NOTE, _slugs())):
        return True
    if not _HAN.search(text):
        return False
    folded = normalize(text).text
    return any(p.search(t) for p in (_LEAK_ZH, _UNFINISHED_ZH) for t in (text, folded))


def _names_a_contact(text: str) -> bool:
    folded = normalize(text).text
    if _CONTACT.search(folded):
        return True
    if any(r.contact.lower() in folded for r in safety.lines(None)):
        return True
    return bool(_numbers(safety.digit_strings()).search(folded))


@cache
def _numbers(known: frozenset[str]) -> re.Pattern[str]:
    """Any of the known numbers of more than two digits, not inside a longer one."""
    longest = sorted((n for n in known if len(n) > 2), key=len, reverse=True)
    return re.compile(rf"(?<!\d)(?:{'|'.join(map(re.escape, longest))})(?!\d)")
