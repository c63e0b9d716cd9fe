"""Which distortions a message carries, where, how strongly, and how much risk (CrossLinCD)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.errors import ConfigError, DataError
from untwist.llm.prompts.answers import Fields
from untwist.llm.prompts.base import (
    Messages,
    Prompt,
    fenced,
    intensities,
    level,
    many,
    message,
    object_of,
    one_of,
    risks,
    spoken,
    string,
    tidied,
)
from untwist.llm.prompts.labels import DEFAULT, label_for, label_in, labels_of, listing
from untwist.schema import Json, Labels, Utterance
from untwist.taxonomy import Distortion, Intensity, Risk


@dataclass(frozen=True, slots=True)
class Quoted:
    """One label, and the words that carry it.

    Attributes:
        label: as its taxonomy spells it.
        quote: as the answer gives them; `locate` finds them in the message.
    """

    label: str
    quote: str

    def __post_init__(self) -> None:
        tidied(self, "label", "quote")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model hears in one message.

    Attributes:
        findings: the main one first; empty means that there is no distortion.
        intensity: of the findings together; None exactly when there is none.
        risk: of the message in its conversation.

    Raises:
        DataError: there is an intensity without a finding, or a finding without an intensity.
    """

    findings: tuple[Quoted, ...]
    intensity: Intensity | None
    risk: Risk

    def __post_init__(self) -> None:
        paired(self.findings, self.intensity)


def paired(findings: Sequence[object], intensity: Intensity | None) -> None:
    """Refuses an intensity of nothing, and findings whose intensity was not judged.

    Raises:
        DataError: one is there without the other.
    """
    if bool(findings) != (intensity is not None):
        raise DataError("an intensity stands there exactly when a label does")


def heard_of(text: str, labels: Labels, taxonomy: str = DEFAULT) -> Heard:
    """What annotators said of a message, as an answer; a label without evidence quotes it whole.

    Raises:
        DataError: it was not annotated in full, or the taxonomy lacks one of its labels.
    """
    if labels.distortions is None or labels.risk is None:
        raise DataError("an example has labels and a risk; this one was not annotated in full")
    quotes = {one.distortion: text[one.start : one.end] for one in reversed(labels.evidence)}
    found = [Quoted(_own(d, taxonomy), quotes.get(d, text)) for d in sorted(labels.distortions)]
    return Heard(tuple(found), labels.intensity if found else None, labels.risk)


def _own(distortion: Distortion, taxonomy: str) -> str:
    label = label_for(distortion, taxonomy)
    if label is None:
        raise DataError(f"{taxonomy} has no label for {distortion.value}: leave the example out")
    return label


@dataclass(frozen=True, slots=True)
class Detect(Prompt[Heard]):
    """Zero-shot, or with the first of our own examples before the question.

    Attributes:
        taxonomy: whose labels are asked for.
        shots: how many examples at most; those whose labels the taxonomy lacks are left out.

    Raises:
        DataError: there is no such taxonomy.
        ConfigError: shots is negative.
    """

    taxonomy: str = DEFAULT
    shots: int = 0

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)
        if self.shots < 0:
            raise ConfigError(f"shots is {self.shots}: give 0 or more")

    @property
    def name(self) -> str:
        """The name of its words."""
        return "detect"

    @property
    def schema(self) -> Json:
        """Findings of label and quote, intensity, risk."""
        finding = object_of(
            label=one_of(tuple(labels_of(self.taxonomy)), self.words["label"]),
            quote=string(self.words["quote"]),
        )
        return object_of(
            findings=many(finding), intensity=level(Intensity, null=True), risk=level(Risk)
        )

    def messages(
        self,
        text: str,
        history: Sequence[Utterance] = (),
        examples: Sequence[tuple[str, Heard]] = (),
    ) -> Messages:
        """The question about one message.

        Args:
            text: of the message.
            history: what was said before it, by both; read for risk only.
            examples: in place of our own; `shots` of them are shown.
        """
        system = self._system(
            labels=listing(self.taxonomy, self.lang),
            intensities=intensities(self.lang),
            risks=risks(self.lang),
        )
        said = [system]
        for shown, heard in tuple(examples)[: self.shots] or self.examples():
            said += [
                message("user", fenced("message", shown)),
                message("assistant", self.render(heard)),
            ]
        before = fenced("earlier", spoken(history, self.lang)) if history else ""
        said.append(message("user", f"{before}\n{fenced('message', text)}"))
        return tuple(said)

    def examples(self) -> tuple[tuple[str, Heard], ...]:
        """The examples that are shown, each with its answer in the labels of the taxonomy."""
        found = []
        for shot in self.words["shots"]:
            findings = [
                (label_for(Distortion(one["label"]), self.taxonomy), one["quote"])
                for one in shot["findings"]
            ]
            if all(label for label, _ in findings):
                quoted = tuple(Quoted(label or "", quote) for label, quote in findings)
                intensity = Intensity(shot["intensity"]) if quoted else None
                found.append((shot["text"], Heard(quoted, intensity, Risk(shot["risk"]))))
        return tuple(found[: self.shots])

    def read(self, fields: Fields) -> Heard:
        """See `Prompt.read`; an intensity of no finding is left out."""
        findings = tuple(
            Quoted(label_in(one.text("label"), self.taxonomy), one.text("quote"))
            for one in fields.objects("findings")
        )
        intensity = fields.maybe_member("intensity", Intensity) if findings else None
        return Heard(findings, intensity, fields.member("risk", Risk))

    def write(self, value: Heard) -> Json:
        """See `Prompt.write`."""
        return {
            "findings": [{"label": one.label, "quote": one.quote} for one in value.findings],
            "intensity": value.intensity.value if value.intensity else None,
            "risk": value.risk.value,
        }
