"""What all labelling pages have in common: their XML, and the results that annotators hand in.

A result is one field filled in: {"from_name", "to_name", "type", "value"}. Names of values are read
in either language, for a page may be shown in one and its annotations read with another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

from untwist.errors import DataError
from untwist.schema import Json
from untwist.taxonomy import LANGS, Lang

Element = ElementTree.Element
PAGE = "page"
"""The key of a task that says which page it is for."""
RATIONALE = "rationale"
SAID = "said"
"""The field of a task for adjudication that shows what the annotators said."""
_STYLE = ".htx-text{ white-space: pre-wrap; }"


@cache
def wording(lang: Lang) -> dict[str, str]:
    """Every heading and value of one language by its key."""
    text = files("untwist.data.labelstudio").joinpath("wording.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text)[lang]
    return words


def new_page() -> Element:
    """An empty page; white space is shown as it is, so that offsets are right."""
    page = ElementTree.Element("View")
    ElementTree.SubElement(page, "Style").text = _STYLE
    return page


def add(parent: Element, tag: str, **attributes: str) -> Element:
    """One more element at the end."""
    return ElementTree.SubElement(parent, tag, attributes)


def add_text(page: Element, name: str, heading: str) -> None:
    """A field of the task, shown under its heading."""
    add(page, "Header", value=heading)
    add(page, "Text", name=name, value=f"${name}")


def add_choice(page: Element, name: str, to: str, heading: str, values: Iterable[str]) -> None:
    """A question of which exactly one value must be chosen."""
    add(page, "Header", value=heading)
    look = {"showInline": "true", "choice": "single-radio", "required": "true"}
    field = add(page, "Choices", name=name, toName=to, **look)
    for value in values:
        add(field, "Choice", value=value)


def add_rationale(page: Element, to: str, lang: Lang) -> None:
    """Words of the annotator's own, if there are any."""
    add(page, "Header", value=wording(lang)[RATIONALE])
    look = {"rows": "3", "maxSubmissions": "1", "editable": "true"}
    add(page, "TextArea", name=RATIONALE, toName=to, **look)


def add_said(page: Element, lang: Lang) -> None:
    """What the annotators said, for the adjudicator."""
    add(page, "Header", value=wording(lang)[SAID])
    look = {"layout": "dialogue", "nameKey": "author", "textKey": "text"}
    add(page, "Paragraphs", name=SAID, value=f"${SAID}", **look)


def as_xml(page: Element) -> str:
    """The page as Label Studio takes it."""
    ElementTree.indent(page)
    return ElementTree.tostring(page, encoding="unicode") + "\n"


def chosen(name: str, to: str, value: str) -> Json:
    """The result of a question with one answer."""
    return {"from_name": name, "to_name": to, "type": "choices", "value": {"choices": [value]}}


def written(to: str, words: str) -> list[Json]:
    """The result of the rationale; nothing when there is none."""
    if not words:
        return []
    value = {"text": [words]}
    return [{"from_name": RATIONALE, "to_name": to, "type": "textarea", "value": value}]


def by_name(results: object) -> dict[str, Mapping[str, Any]]:
    """The values of an annotation's results by the names of their fields.

    Raises:
        DataError: it is no list of results, or a field is there twice.
    """
    if not isinstance(results, list):
        raise DataError('"result" is no list')
    found: dict[str, Mapping[str, Any]] = {}
    for result in results:
        if not isinstance(result, dict) or not isinstance(result.get("value"), dict):
            raise DataError('a result without a "value"')
        name = str(result.get("from_name"))
        if name in found:
            raise DataError(f'"{name}" is filled in twice')
        found[name] = result["value"]
    return found


def choice_of(found: Mapping[str, Mapping[str, Any]], name: str, keys: Mapping[str, str]) -> str:
    """The key of the one value that was chosen.

    Args:
        found: as `by_name` gives it.
        name: of the field.
        keys: the key in `wording` of each value, by the key that is returned.

    Raises:
        DataError: nothing was chosen, several were, or it is no value of the field.
    """
    given = found.get(name, {}).get("choices")
    spelled = {wording(lang)[word]: key for key, word in keys.items() for lang in LANGS}
    value = given[0] if isinstance(given, list) and len(given) == 1 else None
    if not isinstance(value, str) or value not in spelled:
        raise DataError(f'"{name}" holds none of its values, or several')
    return spelled[value]


def rationale_of(results: object) -> str:
    """What the annotator wrote; several entries are joined by line breaks.

    Raises:
        DataError: it is no list of strings.
    """
    words: list[str] = []
    for result in results if isinstance(results, list) else []:
        if not isinstance(result, dict) or result.get("from_name") != RATIONALE:
            continue
        value = result.get("value")
        text = value.get("text") if isinstance(value, dict) else None
        lines = [text] if isinstance(text, str) else text
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise DataError(f'"{RATIONALE}" holds no text')
        words += lines
    return "\n".join(words)


def require_writable(value: object) -> None:
    """Check that a value of an export can be written as UTF-8.

    Raises:
        DataError: it holds half of a character, as JSON may.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError("it holds half of a character: it was cut on its way") from error
