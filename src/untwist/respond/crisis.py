"""The crisis reply: six fixed parts, with the contacts of the region; no part is ever generated.

Contract (SAFETY.md): thanks and reflection, one direct question, the line and the emergency number,
a person nearby and distance from danger, what an AI cannot do, staying available. Whoever refuses
to call is heard, and helped with what stands in the way, instead of being shown the list again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from untwist.respond.book import Book, kept_in, open_book
from untwist.respond.contacts import Contacts
from untwist.respond.danger import Barrier, Obstacle
from untwist.respond.moods import DARK, LOSS, cued, mood
from untwist.respond.page import Texts
from untwist.respond.pick import occurs
from untwist.respond.voice import Voice
from untwist.schema import Assessment
from untwist.taxonomy import Acuity, Risk

CRISIS_PARTS = ("reflect", "question", "resource", "near", "limits", "stay")
"""The six parts of the contract."""
BLOCK_PAUSE = 3
"""For how many assistant turns the same list of contacts is not shown again word for word."""

_LOOK_BACK = 6
"""For how many assistant turns the danger, and that help was named, are remembered."""
_BODY = frozenset({Acuity.ACTION_TAKEN, Acuity.MEDICAL})
_STICKY, _CLEARED = "fold-sticky", "fold-cleared"
_BEHIND = (("bereavement", "bereave"), ("past", "history"))


def crisis_text(assessment: Assessment, voice: Voice, region: str | None) -> str:
    """The six parts for the kind of danger that decides, as short paragraphs."""
    book, texts = voice.book, voice.book.crisis
    kind = _kind(assessment.acuity, voice)
    urgent = bool(texts.urgent & {*assessment.acuity, kind})
    lead_kind = next((a for a in assessment.acuity if a in texts.first_contact), kind)
    refusal = _refusal(assessment, voice)
    own = texts.acuity[kind]
    reflect = voice.pick("reflect", *_reflections(kind, refusal, assessment, book))
    question = voice.pick("question", own["question"])
    near = voice.pick("near", own["near"])
    resource = _resource(Contacts(voice, region, lead_kind), kind, urgent=urgent, refusal=refusal)
    shared = [voice.pick(slot, texts.shared[slot]) for slot in ("limits", "stay")]
    if urgent:
        return "\n\n".join([reflect, resource, near, question, book.join(*shared)])
    return "\n\n".join([book.join(reflect, question), resource, near, book.join(*shared)])


def sticky_text(assessment: Assessment, voice: Voice, region: str | None) -> str | None:
    """What is said as long as the danger of an earlier message has not been cleared up.

    A refusal to call is helped with; a word that takes it back, or another topic, is heard and
    followed by the direct question again. None when the message is neither.
    """
    refusal, taken_back = _refusal(assessment, voice), _taken_back(assessment, voice)
    open_still = refusal or taken_back or _STICKY in assessment.reasons
    if _CLEARED in assessment.reasons or not open_still:
        return None
    book, texts = voice.book, voice.book.crisis
    kind = _kind(assessment.acuity, voice)
    urgent = kind in texts.urgent
    contacts = Contacts(voice, region, kind)
    if refusal:
        opening = voice.pick("reflect", *_reflections(kind, refusal, assessment, book))
    else:
        opening = voice.pick("after", texts.shared["retracted" if taken_back else "turned"])
    said = book.join(opening, voice.pick("question", texts.acuity[kind]["question"]))
    if refusal:
        return f"{said}\n\n{_advice(contacts, kind, urgent=urgent, refusal=refusal)}"
    if urgent:
        return f"{said}\n\n{contacts.reminder(urgent=True)}"
    if assessment.risk is Risk.MEDIUM:
        return f"{said}\n\n{soft_text(assessment, voice, region)}"
    return said


def soft_text(assessment: Assessment, voice: Voice, region: str | None) -> str:
    """One sentence that says where help is, without pressing it on anyone."""
    texts = voice.book.crisis.soft[_occasion(assessment)]
    return voice.pick("soft", texts).format(help=Contacts(voice, region, None).help())


def contacts_text(voice: Voice, region: str | None) -> str:
    """The list of contacts with a sentence that leads to it."""
    return _resource(Contacts(voice, region, None), Acuity.PASSIVE, urgent=False, refusal=None)


def shows_crisis(said: Sequence[str], book: Book) -> bool:
    """Whether one of these replies is a crisis reply, in whatever language."""
    return any(
        limit in text
        for text in said
        for kept in _books(book)
        for limit in kept.crisis.shared["limits"]
    )


def _books(book: Book) -> Iterator[Book]:
    return (open_book(locale, book.folder) for locale in kept_in(book.folder))


def _kind(acuity: Sequence[Acuity], voice: Voice) -> Acuity:
    """The kind of danger that decides the wording.

    Harm that has been done stays first while dark thoughts go on, and what is not named now is what
    was named before.
    """
    if Acuity.THIRD_PARTY in acuity:
        return Acuity.THIRD_PARTY
    now = next((a for a in voice.book.crisis.order if a in acuity), None)
    before = _kind_before(voice)
    if before in _BODY and now in (None, *DARK):
        return before
    return now or before or Acuity.PASSIVE


def _kind_before(voice: Voice) -> Acuity | None:
    """The kind of danger of the last crisis reply; None when there was none lately."""
    for text in reversed(voice.said[-_LOOK_BACK:]):
        for kept in _books(voice.book):
            for kind, slots in kept.crisis.acuity.items():
                if any(near in text for near in slots["near"]):
                    return kind
    return None


def _refusal(assessment: Assessment, voice: Voice) -> Obstacle | None:
    """What a refusal to call names; None when it is no refusal, or nothing was offered before."""
    book, lang = voice.book, assessment.utterance.lang or voice.book.lang
    if assessment.risk is Risk.NONE or not shows_crisis(voice.said[-_LOOK_BACK:], book):
        return None
    told = open_book(lang, book.folder).crisis.obstacles
    for place, obstacle in enumerate(told):
        if cued(obstacle.cues, lang, assessment.utterance.text):
            return book.crisis.obstacles[min(place, len(book.crisis.obstacles) - 1)]
    return None


def _taken_back(assessment: Assessment, voice: Voice) -> bool:
    """Whether a message in which some risk is still heard takes an earlier one back."""
    book, lang = voice.book, assessment.utterance.lang or voice.book.lang
    cues = open_book(lang, book.folder).crisis.retracting
    return assessment.risk > Risk.NONE and cued(cues, lang, assessment.utterance.text)


def _reflections(
    kind: Acuity, refusal: Obstacle | None, assessment: Assessment, book: Book
) -> tuple[Texts, ...]:
    """What is said first: to a refusal, to a loss or an old danger behind it, or to the danger."""
    texts = book.crisis
    own = texts.acuity[kind]["reflect"]
    if refusal and kind in texts.urgent:
        return (texts.shared["heard_urgent"],)
    if refusal:
        return refusal.heard, texts.obstacles[-1].heard
    behind = _behind(assessment)
    if behind is None and mood(assessment, book) == LOSS:
        behind = "bereavement"
    return (texts.reflect[behind], own) if behind and kind in DARK else (own,)


def _behind(assessment: Assessment) -> str | None:
    """What is behind a danger; a plain wish of now is spoken of as one of now."""
    reasons = " ".join(assessment.reasons)
    found = (name for name, sign in _BEHIND if sign in reasons)
    return next((name for name in found if name != "past" or "plain" not in reasons), None)


def _occasion(assessment: Assessment) -> str:
    behind = _behind(assessment)
    if behind:
        return behind
    if Acuity.THIRD_PARTY in assessment.acuity:
        return "third_party"
    if Acuity.SELF_INJURY in assessment.acuity:
        return "self_injury"
    return "passive" if DARK & set(assessment.acuity) else "general"


def _resource(contacts: Contacts, kind: Acuity, *, urgent: bool, refusal: Obstacle | None) -> str:
    """The list of contacts, or help with reaching them where the list has been shown or refused."""
    voice, block = contacts.voice, contacts.block(urgent=urgent)
    if refusal or any(occurs(block, text) for text in voice.said[-BLOCK_PAUSE:]):
        return _advice(contacts, kind, urgent=urgent, refusal=refusal)
    leads = voice.book.crisis.shared["lead_urgent" if urgent else "lead"]
    return f"{voice.pick('lead', leads)}\n{block}"


def _advice(contacts: Contacts, kind: Acuity, *, urgent: bool, refusal: Obstacle | None) -> str:
    """Help with what keeps the person from calling, and the numbers once more in a sentence."""
    barriers = contacts.book.crisis.barriers
    tiers: list[tuple[Barrier, ...]]
    if urgent:
        tiers = [barriers["urgent"]]
    elif kind is Acuity.THIRD_PARTY:
        tiers = [barriers["other"]]
    else:
        tiers = [*([refusal.help] if refusal else []), barriers["own"]]
    fitting = [[b.text for b in tier if contacts.fits(b)] for tier in tiers]
    advice = contacts.voice.pick("barrier", *fitting)
    return contacts.book.join(advice, contacts.reminder(urgent=urgent))
