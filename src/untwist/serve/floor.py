"""What somebody is told when a message gets no reply: it needs no store, no model and no network.

    detector, else the rules of the safety screen -> crisis reply where one is due, else the help
    block of the place, else the help block that was read at the start

Whatever fails, the next one speaks; nobody is told that nothing was noticed. Errors of every kind
are caught here: this is what is left when something is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from untwist.engine import Engine
from untwist.respond import ScriptedResponder
from untwist.safety import help_block, region_of, screen
from untwist.schema import Assessment, Choice, Reply, Turn, Utterance, Verdict
from untwist.taxonomy import Risk, Strategy
from untwist.text import LOCALES, Locale, locale_of

RULES_ALONE = "screen@rules"
"""Stands for the detector where only the safety screen could read a message."""
HELP_ALONE = "help-block@1"
_CHOSEN = "floor@1"


@dataclass(frozen=True)
class Floor:
    """Speaks from memory.

    Attributes:
        engine: hears and answers; without a language model.
        region: ISO code of the country whose help lines are shown; "" is what the person says.
    """

    engine: Engine
    region: str = ""
    _blocks: dict[Locale, str] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for locale in LOCALES:
            self._blocks[locale] = help_block(locale, self.region or None)

    def heard(self, message: Utterance, history: Sequence[Utterance] = ()) -> Assessment:
        """What the engine hears, else what the rules of the safety screen hear.

        Raises:
            SafetyError: neither could read the message.
        """
        try:
            return self.engine.hear(message, history)
        except Exception:  # noqa: BLE001 - see above
            found = screen(message.text, history)
            return Assessment(
                message, (), None, found.level, found.acuity, found.reasons, RULES_ALONE
            )

    def said(
        self, message: Utterance, history: Sequence[Utterance] = (), earlier: Sequence[Turn] = ()
    ) -> str:
        """The crisis reply where one is due, else where help is."""
        try:
            assessment = self.heard(message, history)
        except Exception:  # noqa: BLE001 - see above
            return self.help(message)
        if assessment.risk < Risk.MEDIUM:
            return self.help(message)
        try:
            return self.engine.answer(assessment, history, earlier).reply.text
        except Exception:  # noqa: BLE001 - see above
            return self._crisis(assessment, history)

    def instead(self, assessment: Assessment) -> Turn:
        """A whole turn in place of one that could not be made: where help is, and nothing else."""
        utterance = assessment.utterance
        high = assessment.risk is Risk.HIGH
        strategy = Strategy.CRISIS_INTERVENTION if high else Strategy.EMPATHIC_VALIDATION
        choice = Choice(strategy, None, "safety" if high else "validation", _CHOSEN)
        text = self.said(utterance) if high else self.help(utterance)
        reply = Reply(text, utterance.lang or "en", strategy, ("help_block",), HELP_ALONE)
        return Turn(assessment, choice, reply, Verdict(False, ("failed",)), True)

    def help(self, message: Utterance) -> str:
        """Where help is, in the language of a message."""
        try:
            region = self.region or region_of(message.text)
            return help_block(locale_of(message.lang or "en", (message.text,), region), region)
        except Exception:  # noqa: BLE001 - see above
            return self.always("zh" if message.lang == "zh" else "en")

    def always(self, locale: Locale) -> str:
        """Where help is, as it was read at the start."""
        return self._blocks[locale]

    def _crisis(self, assessment: Assessment, history: Sequence[Utterance]) -> str:
        """The crisis reply by the responder alone, for when the engine cannot answer."""
        choice = Choice(Strategy.CRISIS_INTERVENTION, None, "safety", _CHOSEN)
        speaks = ScriptedResponder(conversation=True, region=self.region or None)
        try:
            return speaks.reply(choice, assessment, history).text
        except Exception:  # noqa: BLE001 - see above
            return self.help(assessment.utterance)
