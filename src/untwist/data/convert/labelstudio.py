"""Tasks for Label Studio and the configuration of their page.

One task is one message of the person; in a dialogue what was said before is shown above it. Labels
that a dialogue already has are kept from the annotators, unless they are asked for as predictions.

Source: Label Studio's task format; offsets count characters (code points), as ours do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree

from untwist.data.convert.exchanges import BESIDE, Task
from untwist.data.convert.rows import LABEL_KEYS, to_row
from untwist.data.convert.wording import wording
from untwist.errors import DataError
from untwist.schema import Dialogue, Json, Labels, Utterance
from untwist.taxonomy import CANONICAL, Intensity, Lang, Risk

TEXT, HISTORY = "text", "history"
DISTORTIONS, EVIDENCE, INTENSITY, RISK = "distortions", "evidence", "intensity", "risk"
"""Names of the page's parts, which an export repeats as `to_name` and `from_name`."""

_WITHHELD = "labels, which annotators do not see"
_NO_FIELD = "labels that the page has no field for"


def tasks(
    dialogue: Dialogue, task: Task, lang: Lang, left_out: Counter[str], *, predictions: bool = False
) -> Iterator[Json]:
    """One task per message of the person.

    Args:
        dialogue: any.
        task: with "detect" only single messages are taken.
        lang: the language of the page, in which predictions name their labels.
        left_out: grows by the labels that are not written.
        predictions: write the labels as predictions, which annotators see.

    Raises:
        DataError: the dialogue makes no task.
    """
    several = len(dialogue.utterances) > 1
    if several and task == "detect":
        raise DataError('more than one message: write it with the task "dialogue"')
    if all(utterance.role != "user" for utterance in dialogue.utterances):
        raise DataError("no message of the person")
    bare = _without_labels(to_row(dialogue))
    for place, utterance in enumerate(dialogue.utterances, 1):
        labels = dialogue.labels[place - 1]
        if utterance.role != "user":
            left_out[_NO_FIELD] += labels is not None
            continue
        data: Json = {"id": f"{dialogue.id}#{place}" if several else dialogue.id}
        data |= {TEXT: utterance.text, "lang": utterance.lang}
        if task == "dialogue":
            data[HISTORY] = [_line(u, lang) for u in dialogue.utterances[: place - 1]]
        if "messages" in bare:
            data["turn"] = place
        yield {"data": data | {BESIDE: bare}} | _shown(
            labels, utterance, lang, left_out, predictions=predictions
        )


def _without_labels(row: Json) -> Json:
    kept = {k: v for k, v in row.items() if k not in (*LABEL_KEYS, TEXT, "lang")}
    if "messages" in row:
        kept["messages"] = [
            {k: v for k, v in entry.items() if k not in LABEL_KEYS} for entry in row["messages"]
        ]
    return kept


def _line(utterance: Utterance, lang: Lang) -> Json:
    return {"author": wording(lang)[utterance.role], "text": utterance.text}


def _shown(
    labels: Labels | None,
    utterance: Utterance,
    lang: Lang,
    left_out: Counter[str],
    *,
    predictions: bool,
) -> Json:
    """The predictions of a task; empty when there are none to show."""
    if labels is None:
        return {}
    if not predictions:
        left_out[_WITHHELD] += 1
        return {}
    stray = (labels.distortions or frozenset()) - frozenset(CANONICAL)
    left_out[_NO_FIELD] += bool(stray or labels.acuity)
    return {
        "predictions": [{"model_version": "labels", "result": result_of(labels, utterance, lang)}]
    }


def result_of(labels: Labels, utterance: Utterance, lang: Lang) -> list[Json]:
    """What an annotator would have to fill in to say the same.

    Args:
        labels: distortions, evidence, intensity and risk are said; other labels are not.
        utterance: of what.
        lang: the language of the page.
    """
    found: list[Json] = []
    if labels.distortions is not None:
        names = [d.name_in(lang) for d in CANONICAL if d in labels.distortions]
        if names or not labels.distortions:
            found.append(_chosen(DISTORTIONS, names or [wording(lang)["none"]]))
    for span in labels.evidence:
        if span.distortion in CANONICAL:
            value: Json = {"start": span.start, "end": span.end}
            value["text"] = utterance.text[span.start : span.end]
            value["labels"] = [span.distortion.name_in(lang)]
            found.append(_result(EVIDENCE, "labels", value))
    if labels.intensity is not None:
        found.append(_chosen(INTENSITY, [labels.intensity.name_in(lang)]))
    if labels.risk is not None:
        found.append(_chosen(RISK, [labels.risk.name_in(lang)]))
    return found


def _chosen(name: str, names: list[str]) -> Json:
    return _result(name, "choices", {"choices": names})


def _result(name: str, kind: str, value: Json) -> Json:
    return {"from_name": name, "to_name": TEXT, "type": kind, "value": value}


def config(lang: Lang, task: Task) -> str:
    """The XML of the labelling page.

    Args:
        lang: the language of headings and labels.
        task: with "dialogue" the page shows what was said before.
    """
    words = wording(lang)
    page = ElementTree.Element("View")
    # without this rule the page trims white space, and spans would be off by what it took away
    ElementTree.SubElement(page, "Style").text = ".htx-text{ white-space: pre-wrap; }"
    if task == "dialogue":
        _add(page, "Header", value=words[HISTORY])
        look = {"layout": "dialogue", "nameKey": "author", "textKey": "text"}
        _add(page, "Paragraphs", name=HISTORY, value=f"${HISTORY}", **look)
    _add(page, "Header", value=words[EVIDENCE])
    spans = _add(page, "Labels", name=EVIDENCE, toName=TEXT, choice="multiple")
    for distortion in CANONICAL:
        _add(spans, "Label", value=distortion.name_in(lang))
    _add(page, "Text", name=TEXT, value=f"${TEXT}")
    names = [d.name_in(lang) for d in CANONICAL]
    _choices(page, DISTORTIONS, words, [*names, words["none"]], choice="multiple", required="true")
    _choices(page, INTENSITY, words, [i.name_in(lang) for i in Intensity], choice="single-radio")
    _choices(page, RISK, words, [r.name_in(lang) for r in Risk], choice="single-radio")
    ElementTree.indent(page)
    return ElementTree.tostring(page, encoding="unicode") + "\n"


def _add(parent: ElementTree.Element, tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, tag, attributes)


def _choices(
    page: ElementTree.Element, name: str, words: dict[str, str], values: list[str], **how: str
) -> None:
    _add(page, "Header", value=words[name])
    field = _add(page, "Choices", name=name, toName=TEXT, showInline="true", **how)
    for value in values:
        _add(field, "Choice", value=value)
