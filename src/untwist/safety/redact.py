"""Takes out what could tell who someone is, before anything is written down.

Works by pattern, so it finds what has a shape (addresses, numbers, "my name is …") and cannot
promise to find more.
"""

from __future__ import annotations

import re

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\w.+-]+(?:@|＠)[\w-]+(?:\.[\w-]+)+", re.ASCII), "[EMAIL]"),
    (re.compile(r"(?:https?://|www\.)[^\s，。！？；、）)】\u4e00-\u9fff]+", re.I), "[URL]"),
    (
        re.compile(
            r"(?<![\dXx])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?!\d)"
        ),
        "[ID]",
    ),
    (re.compile(r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"), "[ID]"),
    (
        re.compile(
            r"((?:微信|薇信|威信|vx|wx|wechat|weixin|qq|企鹅|扣扣)(?:号|账号|id| id| number)?"
            r"(?:\s?(?:is|是|为|：|:|＝|=|,|，))?\s?)(?=[\w-]*\d|[\w]*_)[A-Za-z0-9][\w-]{4,19}",
            re.I | re.ASCII,
        ),
        r"\1[ACCOUNT]",
    ),
    (
        re.compile(
            r"(?<![\d\w.])(?:(?:\+|00)\d{1,3}[\s.-]?)?(?:\(\d{2,4}\)|\d{2,4})[\s.-]?\d{3,4}[\s.-]?\d{3,4}(?![\d\w])",
            re.ASCII,
        ),
        "[PHONE]",
    ),
    (re.compile(r"(?<!\d)(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)"), "[PHONE]"),
    (re.compile(r"(?<!\d)0\d{2,3}[\s-]?\d{7,8}(?!\d)"), "[PHONE]"),
    (
        re.compile(
            r"((?i:\b(?:my (?:full |real |first |last )?name(?:'s| is|’s)|i(?:'m| am|’m) called|"
            r"call me|(?:people|everyone|friends) call me)) )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+){0,2}"
        ),
        r"\1[NAME]",
    ),
    (
        re.compile(
            r"((?i:\bmy (?:full |real |first |last )?name(?:'s| is|’s)) )"
            r"(?!not\b|in\b|on\b|the\b|a\b)[a-z]+\b"
        ),
        r"\1[NAME]",
    ),
    (
        re.compile(
            r"((?:我的名字(?:叫|是)?|我(?:的)?(?:真名|姓名|本名|全名)(?:叫|是|：|:)|我名叫|我叫(?!做|他|她|你|了|不|得|外|车|救|停|醒|人|他们|过|着)))"
            r"[\u4e00-\u9fffA-Za-z·]{2,4}(?=[，。,.！!？?\s；;、]|$|今|在|是|，)"
        ),
        r"\1[NAME]",
    ),
)


def redact(text: str) -> str:
    """The text with addresses, numbers, accounts and stated names replaced by marks in brackets."""
    for pattern, mark in _RULES:
        text = pattern.sub(mark, text)
    return text
