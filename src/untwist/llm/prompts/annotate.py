"""One message of the person in a dialogue: types, intensity and risk, each with its reason.

Types and intensity are of the message alone; the conversation before it counts for risk only
(CoPoLLM, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.errors import DataError
from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    intensities,
    level,
    listed,
    many,
    message,
    object_of,
    one_of,
    risks,
    spoken,
    string,
    tidied,
    words_of,
)
from untwist.llm.prompts.detect import paired
from untwist.llm.prompts.labels import label_in, labels_of, listing
from untwist.schema import Json, Utterance
from untwist.taxonomy import Intensity, Risk


@dataclass(frozen=True, slots=True)
class Reasoned:
    """One label, the words that carry it, and why.

    Attributes:
        label: as its taxonomy spells it.
        quote: as the answer gives them; `locate` finds them in the message.
        why: one sentence.
    """

    label: str
    quote: str
    why: str

    def __post_init__(self) -> None:
        tidied(self, "label", "quote", "why")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What an annotator says of one message.

    Attributes:
        findings: the main one first; empty means that there is no distortion.
        rationale: why this intensity and this risk.
        intensity: of the findings together; None exactly when there is none.
        risk: of the message in its conversation.

    Raises:
        DataError: there is an intensity without a finding, or a finding without an intensity.
    """

    findings: tuple[Reasoned, ...]
    rationale: str
    intensity: Intensity | None
    risk: Risk

    def __post_init__(self) -> None:
        tidied(self, "rationale")
        paired(self.findings, self.intensity)


@dataclass(frozen=True, slots=True)
class Annotate(Prompt[Annotation]):
    """The annotator's question.

    Attributes:
        taxonomy: whose labels are asked for.

    Raises:
        DataError: there is no such taxonomy.
    """

    taxonomy: str = "beck-8"

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)

    @property
    def name(self) -> str:
        """The name of its words."""
        return "annotate"

    @property
    def schema(self) -> Json:
        """Findings of quote, why and label; rationale, intensity, risk."""
        finding = object_of(
            quote=string(self.words["quote"]),
            why=string(self.words["why"]),
            label=one_of(tuple(labels_of(self.taxonomy)), self.words["label"]),
        )
        return object_of(
            findings=many(finding),
            rationale=string(self.words["rationale"]),
            intensity=level(Intensity, null=True),
            risk=level(Risk),
        )

    def messages(self, said: Sequence[Utterance], at: int = -1) -> Messages:
        """The question about one message of a dialogue.

        Args:
            said: the dialogue; what comes after the message is not shown.
            at: place of the message in it.

        Raises:
            DataError: there is no such message, or it is the helper's.
        """
        place = at + len(said) if at < 0 else at
        if not 0 <= place < len(said):
            raise DataError(f"there is no message {at} in a dialogue of {len(said)}")
        if said[place].role != "user":
            raise DataError(f"message {at} is the helper's: annotate those of the person")
        system = self._system(
            labels=listing(self.taxonomy, self.lang),
            cues=self._cues(),
            intensities=intensities(self.lang),
            risks=risks(self.lang),
        )
        before = fenced("earlier", spoken(said[:place], self.lang)) if place else ""
        asked = f"{before}\n{fenced('message', said[place].text)}"
        return system, message("user", asked)

    def _cues(self) -> str:
        rows, after = [], words_of("common", self.lang)["after"]
        for label, stands_for in labels_of(self.taxonomy).items():
            told = after.join(self.words["cues"][d.value] for d in stands_for)
            rows.append(listed(label, label, told, self.lang))
        return "\n".join(rows)

    def read(self, fields: Fields) -> Annotation:
        """See `Prompt.read`; an intensity of no finding is left out."""
        findings = tuple(
            Reasoned(label_in(one.text("label"), self.taxonomy), one.text("quote"), one.text("why"))
            for one in fields.objects("findings")
        )
        intensity = fields.maybe_member("intensity", Intensity) if findings else None
        rationale = fields.prose("rationale")
        return Annotation(findings, rationale, intensity, fields.member("risk", Risk))

    def write(self, value: Annotation) -> Json:
        """See `Prompt.write`."""
        return {
            "findings": [
                {"quote": one.quote, "why": one.why, "label": one.label} for one in value.findings
            ],
            "rationale": value.rationale,
            "intensity": value.intensity.value if value.intensity else None,
            "risk": value.risk.value,
        }
