"""Recipe: policies on held-out messages, in simulated conversations and on logged dialogues.

    test parts of corpora -> choices by gold and predicted labels -> hits, crisis calls, advantage
    the same messages -> seekers who answer -> returns and habits, beside every baseline
    logged dialogues -> off-policy estimates

Nothing is learnt here. The matrix, always validating, the most frequent gold strategy and chance
stand beside every learned policy, and alone without any. Runs of one set-up share their name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from untwist.data import Loaded, Reading, Refusals
from untwist.data.splits import PARTS
from untwist.errors import ConfigError
from untwist.evaluate import RESAMPLES
from untwist.policy import AlwaysValidate, MatrixPolicy
from untwist.policy.env import MAX_TURNS
from untwist.ports import Detector
from untwist.recipes.evaluate_logged import Judging, LoggedConfig, LoggedResult, score_logged
from untwist.recipes.policy_choices import (
    Chance,
    gold_scene,
    label_differences,
    label_lines,
    predicted_scene,
)
from untwist.recipes.policy_lines import ReturnLine, runs_together
from untwist.recipes.policy_players import (
    ACTIONS,
    Entrant,
    OneStrategy,
    PlainPlayer,
    Player,
    RandomPlayer,
    enter,
    read_policies,
    systems_of,
)
from untwist.recipes.policy_report import publish_policy
from untwist.recipes.policy_returns import Worlds, return_lines
from untwist.recipes.policy_rows import PolicyRows, policy_rows
from untwist.recipes.rows import Progress, load_each, quiet
from untwist.recipes.runfolder import open_run
from untwist.schema import Json
from untwist.taxonomy import CANONICAL, Risk, Strategy, row

SCHEMA = "untwist/policy@1"
ALL = "all"


@dataclass(frozen=True, slots=True)
class EvaluatePolicy:
    """What to evaluate, and on what."""

    out: str
    """The run folder; it must be new or empty."""
    policies: tuple[str, ...] = ()
    """Folders of learned policies, "learned" for the one that ships. The first one's name is the
    system that is compared with the others, and folders with the same name are its runs; without
    any it is the matrix."""
    corpora: tuple[str, ...] = ("open", "open-dialogues")
    """Corpora by name, or files of your own."""
    part: str = "test"
    """The part of the grouped split that is scored; "all" for a corpus that nobody learnt from."""
    learnt_part: str = "train"
    """The part from which the most frequent gold strategy is taken."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    seekers: int = 2_000
    """Simulated people for the returns; 0 leaves simulation out, off-policy estimates too, and with
    it the need for every distortion in both languages."""
    max_turns: int = MAX_TURNS
    """Turns after which a simulated conversation is cut off."""
    gamma: float = 0.8
    """For faded returns; CoPoLLM Table 6."""
    logged: LoggedConfig = field(default_factory=LoggedConfig)
    """Off-policy evaluation."""
    seed: int = 42
    """Of the simulated people, the random baseline and the intervals."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    command: str = "untwist.recipes.evaluate_policy.run(config, detector)"
    """What starts this run; stands in the report."""


def run(
    config: EvaluatePolicy, detector: Detector | None, progress: Progress = quiet
) -> tuple[Path, Json]:
    """Evaluate, and write the run folder.

    Args:
        config: what to evaluate.
        detector: whose labels are the predicted ones; None leaves them out.
        progress: told the stage and how much of it is done.

    Returns:
        The folder (config.toml, manifest.json, metrics.json, report.md, report.html, pictures) and
        the metrics.

    Raises:
        ConfigError: a number is out of range, a policy has a baseline's name, or the run folder is
            in use.
        ArtifactError: a policy cannot be used.
        DataError: a corpus cannot be read, no message is left, the detector fails, or an
            action value is NaN.
    """
    _check(config)
    learned, weights = read_policies(config.policies)
    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals, progress)
    rows = policy_rows(loaded, PARTS if config.part == ALL else [config.part])
    entrants = enter(learned, _others(config, loaded))
    inputs = [*(file for one in loaded for file in one.files), *weights]
    gold = Worlds(gold_scene(rows), config.max_turns)
    if config.seekers:
        gold.of(entrants[0].player)  # nothing is written where nobody could be simulated
    folder = open_run(config.out, config, config.seed, inputs)
    how = Chance(config.seed, config.resamples)
    worlds = {"gold": gold}
    if detector is not None:
        heard = predicted_scene(gold.scene, detector, progress)
        worlds["predicted"] = Worlds(heard, config.max_turns)
    scenes = [world.scene for world in worlds.values()]
    lines = label_lines(scenes, entrants, how, progress)
    played = _Played([], [], [])
    if config.seekers:
        played = _play(config, worlds, entrants, folder.path, progress)
    metrics: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "detector": detector.name if detector else None,
        "systems": systems_of(entrants),
        "resamples": config.resamples,
        "rows": {
            "corpora": list(config.corpora),
            "part": config.part,
            "n": len(rows.rows),
            "groups": len(set(scenes[0].states.groups)),
            "left_out": rows.left_out,
            "refused": len(refusals),
            "by_reason": dict(refusals.by_reason()),
        },
        "lines": [line.to_dict() for line in lines],
        "label_differences": label_differences(scenes[0], entrants, how),
        "returns": [line.to_dict() for line in played.returns],
        "return_differences": played.differences,
        "over_runs": runs_together(lines, played.returns, played.differences),
        "off_policy": [one.to_dict() for one in played.logged],
    }
    folder.write_metrics(metrics)
    first = learned[0].q(scenes[0].assessments, scenes[0].sessions) if learned else None
    values = None if first is None else (first, scenes[0].states.high)
    publish_policy(folder, metrics, lines, played.returns, values)
    return folder.path, metrics


@dataclass(frozen=True, slots=True)
class _Played:
    """What came of conversations."""

    returns: list[ReturnLine]
    differences: list[Json]
    logged: list[LoggedResult]


def _play(
    config: EvaluatePolicy,
    worlds: Mapping[str, Worlds],
    entrants: Sequence[Entrant],
    folder: Path,
    progress: Progress,
) -> _Played:
    how = Chance(config.seed, config.resamples)
    returns = return_lines(worlds, entrants, config.seekers, config.gamma, how, progress)
    judging = Judging(config.gamma, config.seed, config.resamples)
    logged = score_logged(config.logged, judging, worlds["gold"].of, entrants, folder, progress)
    return _Played(*returns, logged)


def _check(config: EvaluatePolicy) -> None:
    if config.resamples < 1 or (config.seekers < 2 and config.seekers != 0) or config.max_turns < 1:
        raise ConfigError("give at least one resample, two seekers (or 0) and one turn")
    if not 0 <= config.gamma <= 1:
        raise ConfigError(f"gamma is {config.gamma}: give 0 to 1")


def _others(config: EvaluatePolicy, loaded: Sequence[Loaded]) -> list[Player]:
    """Those who learnt nothing."""
    return [
        PlainPlayer(MatrixPolicy()),
        PlainPlayer(AlwaysValidate()),
        PlainPlayer(OneStrategy(_most_frequent(policy_rows(loaded, [config.learnt_part])))),
        RandomPlayer(np.random.default_rng([config.seed, 2])),
    ]


def _most_frequent(rows: PolicyRows) -> Strategy:
    """The strategy that is gold most often; the lower number of equals."""
    golds = Counter(
        row(d).gold
        for one in rows.rows
        if one.labels.risk is not Risk.HIGH
        for d in CANONICAL
        if d in (one.labels.distortions or ())
    )
    return max(ACTIONS, key=lambda one: golds[one])
