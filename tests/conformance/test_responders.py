"""What every Responder must do, and what the guard says of it."""

import pytest

from tests.conformance.conftest import assessment
from untwist.schema import Choice, Reply, Utterance
from untwist.taxonomy import CANONICAL, Risk, Strategy, row

_TEXTS = {"en": "Nothing I do is ever good enough", "zh": "我做什么都不够好"}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("distortion", CANONICAL)
def test_a_draft_is_in_the_writers_language_and_passes_the_guard(
    responder, guard, lang, distortion
):
    heard = assessment(_TEXTS[lang], distortion=distortion)
    choice = Choice(row(distortion).gold, distortion, "gold", "made-up")
    draft = responder.reply(choice, heard, ())
    assert isinstance(draft, Reply)
    assert draft.lang == lang
    assert draft.responder == responder.name
    assert draft.parts
    assert guard.check(draft, heard).rules == ()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_crisis_draft_passes_the_guard(responder, guard, lang):
    heard = assessment(_TEXTS[lang], Risk.HIGH, distortion=None)
    choice = Choice(Strategy.CRISIS_INTERVENTION, None, "safety", "made-up")
    draft = responder.reply(choice, heard, ())
    assert draft.strategy is Strategy.CRISIS_INTERVENTION
    assert draft.responder.startswith("scripted@")
    assert guard.check(draft, heard).rules == ()


def test_equal_arguments_give_equal_drafts(responder):
    heard = assessment(_TEXTS["en"])
    choice = Choice(row(CANONICAL[0]).gold, CANONICAL[0], "gold", "made-up")
    history = (Utterance("hello"), Utterance("Hello. What is on your mind?", role="assistant"))
    assert responder.reply(choice, heard, history) == responder.reply(choice, heard, history)
