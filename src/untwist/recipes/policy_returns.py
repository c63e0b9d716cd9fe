"""Conversations of every player with simulated people: returns, habits, differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from untwist.embed import StaticEncoder
from untwist.evaluate import SEEKERS, Episodes, habits, mean_return, return_difference
from untwist.policy.env import MAX_TURNS, World
from untwist.policy.pool import Pool
from untwist.policy.state import StateEncoder
from untwist.recipes.policy_choices import Chance, Scene
from untwist.recipes.policy_lines import ReturnLine
from untwist.recipes.policy_players import Entrant, LearnedPlayer, Player, pairs, play
from untwist.recipes.rows import Progress
from untwist.schema import Json

_SETTINGS = (("gold", True), ("gold", False), ("predicted", True))
_SHOWN = _SETTINGS[0]


@dataclass(frozen=True, slots=True)
class Worlds:
    """A world for each encoder: the messages are the same, their vectors are not.

    Attributes:
        scene: what people say in it.
        max_turns: turns after which a conversation is cut off.
    """

    scene: Scene
    max_turns: int = MAX_TURNS
    _known: dict[str, World] = field(default_factory=dict, repr=False)

    def of(self, player: Player, max_turns: int | None = None) -> World:
        """The world in which a player can read the states.

        Raises:
            DataError: the messages lack a distortion, a language or high risk.
        """
        if isinstance(player, LearnedPlayer):
            encoder = player.policy.state
        else:
            encoder = StateEncoder(StaticEncoder())
        if encoder.name not in self._known:
            labels = [row.labels for row in self.scene.rows.rows]
            self._known[encoder.name] = World(Pool.of(self.scene.assessments, labels, encoder))
        return replace(self._known[encoder.name], max_turns=max_turns or self.max_turns)


def return_lines(
    worlds: Mapping[str, Worlds],
    entrants: Sequence[Entrant],
    seekers: int,
    gamma: float,
    how: Chance,
    progress: Progress,
) -> tuple[list[ReturnLine], list[Json]]:
    """Lines of every player, and differences of the first system: shielded, by gold labels.

    Args:
        worlds: by source of labels.
        entrants: who plays; the first one's system is compared with the others.
        seekers: how many people each meets; the same ones.
        gamma: for faded returns.
        how: seed of the people and of the intervals, resamples.
        progress: told how far it is.
    """
    lines: list[ReturnLine] = []
    shown: list[Episodes] = []
    for done, entrant in enumerate(entrants):
        progress("simulating", done, len(entrants))
        for labels, shield in _SETTINGS:
            if labels not in worlds:
                continue
            world = worlds[labels].of(entrant.player)
            episodes = play(world, entrant.player, seekers, how.seed, shield)
            if (labels, shield) == _SHOWN:
                shown.append(episodes)
            lines.append(_line(entrant, labels, shield, episodes, gamma, how))
    progress("simulating", len(entrants), len(entrants))
    played = dict(zip(entrants, shown, strict=True))
    differences = [
        {
            **first.minus(second),
            "undiscounted": _gap(played[first], played[second], 1.0, how),
            "faded": _gap(played[first], played[second], gamma, how),
        }
        for first, second in pairs(entrants)
    ]
    return lines, differences


def _line(
    entrant: Entrant, labels: str, shield: bool, episodes: Episodes, gamma: float, how: Chance
) -> ReturnLine:
    groups = np.array(episodes.first_seekers())
    returns = episodes.returns()
    return ReturnLine(
        entrant.player.name,
        entrant.run,
        labels,
        shield,
        mean_return(episodes, how.fresh(), 1.0, how.resamples),
        mean_return(episodes, how.fresh(), gamma, how.resamples),
        {name: _mean(returns[groups == name]) for name in SEEKERS},
        habits(episodes),
    )


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if values.size else None


def _gap(first: Episodes, second: Episodes, gamma: float, how: Chance) -> Json | None:
    gap = return_difference(first, second, how.fresh(), gamma, how.resamples)
    return gap.to_dict() if gap else None
