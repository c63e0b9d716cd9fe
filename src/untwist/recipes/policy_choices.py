"""Choices of every player on the scored messages, by gold and by predicted labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from untwist.evaluate import (
    Advantage,
    States,
    advantage_of,
    choice_differences,
    choice_scores,
)
from untwist.policy.env import gate_table
from untwist.ports import Detector
from untwist.recipes.policy_lines import (
    AS_FOUND,
    CHALLENGED,
    FIRST,
    LISTENED,
    UNKNOWN,
    VALIDATED,
    LabelLine,
)
from untwist.recipes.policy_players import ACTIONS, Codes, Entrant, LearnedPlayer, Player, pairs
from untwist.recipes.policy_rows import PolicyRows
from untwist.recipes.rows import Progress
from untwist.schema import Assessment, Json, Session
from untwist.taxonomy import Strategy

_KINDS = (FIRST, VALIDATED, CHALLENGED, UNKNOWN)
_LISTENED = Session(1, (Strategy.EMPATHIC_VALIDATION,), 0.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """The scored messages, as gold labels or a detector has them.

    Attributes:
        labels: "gold" or "predicted".
        assessments: what is heard of each.
        sessions: what was there before each.
        states: the gold labels on which choices are scored.
        rows: all messages of the part.
    """

    labels: str
    assessments: list[Assessment]
    sessions: list[Session]
    states: States
    rows: PolicyRows

    def listened(self) -> list[Session]:
        """As if one validating reply had gone before each."""
        return [_LISTENED] * len(self.sessions)

    def by_session(self) -> dict[str, Scene]:
        """The messages by what went before them; those after crisis intervention are in none."""
        kinds = [_kind(session) for session in self.sessions]
        places = {name: [at for at, kind in enumerate(kinds) if kind == name] for name in _KINDS}
        return {name: self._only(rows) for name, rows in places.items() if rows}

    def _only(self, rows: Sequence[int]) -> Scene:
        states, at = self.states, np.array(rows)
        groups = tuple(states.groups[row] for row in rows)
        return replace(
            self,
            assessments=[self.assessments[row] for row in rows],
            sessions=[self.sessions[row] for row in rows],
            states=States(states.labels[at], states.high[at], states.intensity[at], groups),
        )

    def chosen(self, player: Player, shield: bool) -> Codes:
        """What a player does with each message."""
        open_ = np.ones((len(self.assessments), len(ACTIONS)), bool)
        if shield:
            open_ = gate_table()[[one.risk.rank for one in self.assessments]]
        return player.rows(self.assessments, self.sessions, open_)


def _kind(session: Session) -> str | None:
    if not session.turn:
        return FIRST
    if not session.used:
        return UNKNOWN
    if session.used[-1] is Strategy.EMPATHIC_VALIDATION:
        return VALIDATED
    return None if session.used[-1] is Strategy.CRISIS_INTERVENTION else CHALLENGED


@dataclass(frozen=True, slots=True)
class Chance:
    """Of the intervals.

    Attributes:
        seed: every interval begins with it anew, so that equal groups are drawn.
        resamples: of the bootstrap.
    """

    seed: int
    resamples: int

    def fresh(self) -> np.random.Generator:
        """A generator from the seed."""
        return np.random.default_rng(self.seed)


def gold_scene(rows: PolicyRows) -> Scene:
    """The messages by gold labels."""
    heard = rows.gold()
    return Scene("gold", heard, rows.sessions(heard), rows.states(), rows)


def predicted_scene(gold: Scene, detector: Detector, progress: Progress) -> Scene:
    """The same messages as a detector hears them, to be judged by the gold labels."""
    heard = gold.rows.heard(detector, progress)
    return replace(gold, labels="predicted", assessments=heard, sessions=gold.rows.sessions(heard))


def label_lines(
    scenes: Sequence[Scene], entrants: Sequence[Entrant], how: Chance, progress: Progress
) -> list[LabelLine]:
    """Every player with and without shield, by every source of labels.

    Of a learned policy also: as if one validating reply had gone before, and the messages as found
    by what went before them, for what it does depends on that.
    """
    lines = []
    for done, entrant in enumerate(entrants):
        progress("scoring choices", done, len(entrants))
        for scene in scenes:
            lines += [_line(scene, entrant, shield, AS_FOUND, how) for shield in (True, False)]
        if entrant.player.learnt:
            gold = scenes[0]
            lines.append(
                _line(replace(gold, sessions=gold.listened()), entrant, True, LISTENED, how)
            )
            lines += [
                _line(part, entrant, True, name, how) for name, part in gold.by_session().items()
            ]
    progress("scoring choices", len(entrants), len(entrants))
    return lines


def _line(scene: Scene, entrant: Entrant, shield: bool, session: str, how: Chance) -> LabelLine:
    player = entrant.player
    actions = scene.chosen(player, shield)
    scores = choice_scores(scene.states, actions, how.fresh(), how.resamples)
    advantage: tuple[Advantage, Advantage] | None = None
    if isinstance(player, LearnedPlayer):
        q = player.policy.q(scene.assessments, scene.sessions)
        high = scene.states.high
        advantage = advantage_of(q, high), advantage_of(q, ~high)
    return LabelLine(player.name, entrant.run, scene.labels, shield, session, scores, advantage)


def label_differences(scene: Scene, entrants: Sequence[Entrant], how: Chance) -> list[Json]:
    """The first system's runs minus each other player, shielded, as found."""
    found = []
    for first, second in pairs(entrants):
        gaps = choice_differences(
            scene.states,
            scene.chosen(first.player, True),
            scene.chosen(second.player, True),
            how.fresh(),
            how.resamples,
        )
        shown = {name: gap.to_dict() if gap else None for name, gap in gaps.items()}
        found.append({**first.minus(second), "differences": shown})
    return found
