"""Recipe: policies on held-out messages, in simulated conversations and on logged dialogues.

    test parts of corpora -> choices by gold and predicted labels -> hits, crisis calls, advantage
    the same messages -> seekers who answer -> returns and habits, beside every baseline
    logged dialogues -> off-policy estimates

Nothing is learnt here. The matrix, always validating, the most frequent gold strategy and chance
stand beside every learned policy. Runs of one set-up share their policy's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from untwist.data import Loaded, Reading, Refusals
from untwist.errors import ConfigError
from untwist.evaluate import (
    RESAMPLES,
    Advantage,
    Episodes,
    States,
    advantage_of,
    choice_differences,
    choice_scores,
    habits,
    mean_return,
    over_runs,
    return_difference,
)
from untwist.policy import AlwaysValidate, LearnedPolicy, MatrixPolicy
from untwist.policy.env import World, gate_table
from untwist.policy.pool import Pool
from untwist.policy.state import StateEncoder
from untwist.ports import Detector
from untwist.recipes.evaluate_logged import Judging, LoggedConfig, score_logged
from untwist.recipes.policy_players import (
    ACTIONS,
    Codes,
    Floats,
    LearnedPlayer,
    OneStrategy,
    PlainPlayer,
    Player,
    RandomPlayer,
    play,
)
from untwist.recipes.policy_report import LabelLine, ReturnLine, publish_policy
from untwist.recipes.policy_rows import PolicyRows, policy_rows
from untwist.recipes.rows import Progress, load_each, quiet
from untwist.recipes.runfolder import open_run
from untwist.schema import Assessment, Json, Session
from untwist.taxonomy import CANONICAL, Risk, Strategy, row

SCHEMA = "untwist/policy@1"
AS_FOUND, LISTENED = "as found", "after listening"
_LISTENED = Session(1, (Strategy.EMPATHIC_VALIDATION,), 0.0)


@dataclass(frozen=True, slots=True)
class EvaluatePolicy:
    """What to evaluate, and on what."""

    out: str
    """The run folder; it must be new or empty."""
    policies: tuple[str, ...]
    """Folders of learned policies; the first one's name is the system that others are compared to,
    folders with the same name are its runs."""
    corpora: tuple[str, ...] = ("open", "open-dialogues")
    """Corpora by name, or files of your own."""
    part: str = "test"
    """The part of the grouped split that is scored."""
    learnt_part: str = "train"
    """The part from which the most frequent gold strategy is taken."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    seekers: int = 2_000
    """Simulated people for the returns."""
    max_turns: int = 12
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


@dataclass(frozen=True, slots=True)
class _Scene:
    """The scored messages, as gold labels or a detector has them."""

    labels: str
    assessments: list[Assessment]
    sessions: list[Session]
    states: States
    rows: PolicyRows


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
        ConfigError: no policy is named, a number is out of range, or the run folder is in use.
        ArtifactError: a policy cannot be used.
        DataError: a corpus or a log cannot be read, no message is left, the detector fails, or an
            action value is NaN.
    """
    _check(config)
    learned = [LearnedPolicy.load(Path(folder)) for folder in config.policies]
    refusals = Refusals()
    loaded = load_each(config.corpora, config.reading, refusals, progress)
    rows = policy_rows(loaded, [config.part])
    players = _players(config, learned, loaded)
    inputs = [file for one in loaded for file in one.files]
    inputs += [Path(f) / "model.safetensors" for f in config.policies]
    inputs += [Path(config.logged.file)] if config.logged.file else []
    folder = open_run(config.out, config, config.seed, inputs)
    scenes = _scenes(rows, detector, progress)
    lines = _label_lines(config, scenes, players, progress)
    worlds = {scene.labels: _World(config, scene) for scene in scenes}
    returns, differences = _returns(config, worlds, players, progress)
    world = worlds["gold"]
    how = Judging(config.gamma, config.seed, config.resamples)
    logged = score_logged(config.logged, how, world.of, players, folder.path, progress)
    metrics: Json = {
        "schema": SCHEMA,
        "command": config.command,
        "detector": detector.name if detector else None,
        "systems": _systems(players),
        "resamples": config.resamples,
        "rows": {
            "corpora": list(config.corpora),
            "part": config.part,
            "n": len(rows.rows),
            "groups": len(set(scenes[0].states.groups)),
            "left_out": rows.left_out,
            "refused": len(refusals),
        },
        "lines": [line.to_dict() for line in lines],
        "label_differences": _label_differences(config, scenes[0], players),
        "returns": [line.to_dict() for line in returns],
        "return_differences": differences,
        "over_runs": _over_runs(lines, returns, differences),
        "off_policy": [one.to_dict() for one in logged],
    }
    folder.write_metrics(metrics)
    values = _first_values(players[0], scenes[0])
    publish_policy(folder, metrics, lines, returns, values, scenes[0].states.high)
    return folder.path, metrics


def _check(config: EvaluatePolicy) -> None:
    if not config.policies:
        raise ConfigError("name at least one folder of a learned policy")
    if config.resamples < 1 or config.seekers < 2 or config.max_turns < 1:
        raise ConfigError("give at least one resample, two seekers and one turn")
    if not 0 <= config.gamma <= 1:
        raise ConfigError(f"gamma is {config.gamma}: give 0 to 1")


def _players(
    config: EvaluatePolicy, learned: Sequence[LearnedPolicy], loaded: Sequence[Loaded]
) -> list[tuple[Player, int]]:
    """Each player with the number of its run; learned ones first."""
    counts: Counter[str] = Counter()
    found: list[tuple[Player, int]] = []
    for policy in learned:
        counts[policy.name] += 1
        found.append((LearnedPlayer(policy), counts[policy.name]))
    others: list[Player] = [
        PlainPlayer(MatrixPolicy()),
        PlainPlayer(AlwaysValidate()),
        PlainPlayer(OneStrategy(_most_frequent(policy_rows(loaded, [config.learnt_part])))),
        RandomPlayer(np.random.default_rng([config.seed, 2])),
    ]
    taken = {one.name for one in others} & set(counts)
    if taken:
        raise ConfigError(f"a learned policy is called {min(taken)}: that is a baseline's name")
    return [*found, *((one, 1) for one in others)]


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


def _systems(players: Sequence[tuple[Player, int]]) -> list[Json]:
    runs = Counter(player.name for player, _ in players)
    learnt = {player.name: player.learnt for player, _ in players}
    return [{"name": name, "runs": n, "learnt": learnt[name]} for name, n in runs.items()]


def _scenes(rows: PolicyRows, detector: Detector | None, progress: Progress) -> list[_Scene]:
    found = {"gold": rows.gold()}
    if detector is not None:
        found["predicted"] = rows.heard(detector, progress)
    states = rows.states()
    return [
        _Scene(name, heard, rows.sessions(heard), states, rows) for name, heard in found.items()
    ]


def _label_lines(
    config: EvaluatePolicy,
    scenes: Sequence[_Scene],
    players: Sequence[tuple[Player, int]],
    progress: Progress,
) -> list[LabelLine]:
    lines = []
    for done, (player, number) in enumerate(players):
        progress("scoring choices", done, len(players))
        for scene in scenes:
            for shield in (True, False):
                lines.append(_label_line(config, scene, player, number, shield, AS_FOUND))
        if player.learnt:
            lines.append(_label_line(config, scenes[0], player, number, True, LISTENED))
    progress("scoring choices", len(players), len(players))
    return lines


def _label_line(
    config: EvaluatePolicy, scene: _Scene, player: Player, number: int, shield: bool, session: str
) -> LabelLine:
    actions = _chosen(scene, player, shield, session)
    rng = np.random.default_rng(config.seed)
    scores = choice_scores(scene.states, actions, rng, config.resamples)
    advantage: tuple[Advantage, Advantage] | None = None
    if isinstance(player, LearnedPlayer):
        q = player.policy.q(scene.assessments, _sessions(scene, session))
        high = scene.states.high
        advantage = advantage_of(q, high), advantage_of(q, ~high)
    return LabelLine(player.name, number, scene.labels, shield, session, scores, advantage)


def _sessions(scene: _Scene, session: str) -> list[Session]:
    return scene.sessions if session == AS_FOUND else [_LISTENED] * len(scene.sessions)


def _chosen(scene: _Scene, player: Player, shield: bool, session: str) -> Codes:
    open_ = np.ones((len(scene.assessments), len(ACTIONS)), bool)
    if shield:
        open_ = gate_table()[[one.risk.rank for one in scene.assessments]]
    return player.rows(scene.assessments, _sessions(scene, session), open_)


def _label_differences(
    config: EvaluatePolicy, scene: _Scene, players: Sequence[tuple[Player, int]]
) -> list[Json]:
    """The first policy's runs minus each other player, by gold labels, shielded, as found."""
    own, others = _sides(players)
    found = []
    for first, number in own:
        mine = _chosen(scene, first, True, AS_FOUND)
        for second, run_ in others:
            gaps = choice_differences(
                scene.states,
                mine,
                _chosen(scene, second, True, AS_FOUND),
                np.random.default_rng(config.seed),
                config.resamples,
            )
            shown = {name: gap.to_dict() if gap else None for name, gap in gaps.items()}
            found.append({**_pair(first, number, second, run_), "differences": shown})
    return found


def _sides(
    players: Sequence[tuple[Player, int]],
) -> tuple[list[tuple[Player, int]], list[tuple[Player, int]]]:
    name = players[0][0].name
    return [p for p in players if p[0].name == name], [p for p in players if p[0].name != name]


def _pair(first: Player, number: int, second: Player, run_: int) -> Json:
    return {"first": first.name, "run": number, "second": second.name, "second_run": run_}


class _World:
    """A world for each encoder: the messages are the same, their vectors are not."""

    def __init__(self, config: EvaluatePolicy, scene: _Scene) -> None:
        self.config, self.scene = config, scene
        self.known: dict[str, World] = {}
        self.labels = [row.labels for row in scene.rows.rows]

    def of(self, player: Player, max_turns: int | None = None) -> World:
        """The world in which a player can read the states."""
        encoder = player.policy.state if isinstance(player, LearnedPlayer) else None
        if encoder is None:
            found = next(iter(self.known.values()))
        else:
            if encoder.name not in self.known:
                self.known[encoder.name] = World(self._pool(encoder))
            found = self.known[encoder.name]
        turns = max_turns or self.config.max_turns
        return World(found.pool, found.dynamics, found.reward, turns)

    def _pool(self, encoder: StateEncoder) -> Pool:
        return Pool.of(self.scene.assessments, self.labels, encoder)


def _returns(
    config: EvaluatePolicy,
    worlds: Mapping[str, _World],
    players: Sequence[tuple[Player, int]],
    progress: Progress,
) -> tuple[list[ReturnLine], list[Json]]:
    """Lines of every player in every world, and differences: shielded, by gold labels."""
    lines: list[ReturnLine] = []
    shown: dict[tuple[str, int], Episodes] = {}
    settings = [("gold", True), ("gold", False)]
    settings += [("predicted", True)] if "predicted" in worlds else []
    for done, (player, number) in enumerate(players):
        progress("simulating", done, len(players))
        for labels, shield in settings:
            world = worlds[labels].of(player)
            episodes = play(world, player, config.seekers, config.seed, shield)
            if (labels, shield) == ("gold", True):
                shown[player.name, number] = episodes
            lines.append(_return_line(config, player, number, labels, shield, episodes))
    progress("simulating", len(players), len(players))
    own, others = _sides(players)
    differences = [
        {
            **_pair(first, number, second, run_),
            "undiscounted": _gap(config, shown, (first.name, number), (second.name, run_), 1.0),
            "faded": _gap(config, shown, (first.name, number), (second.name, run_), config.gamma),
        }
        for first, number in own
        for second, run_ in others
    ]
    return lines, differences


def _gap(
    config: EvaluatePolicy,
    shown: Mapping[tuple[str, int], Episodes],
    first: tuple[str, int],
    second: tuple[str, int],
    gamma: float,
) -> Json | None:
    rng = np.random.default_rng(config.seed)
    gap = return_difference(shown[first], shown[second], rng, gamma, config.resamples)
    return gap.to_dict() if gap else None


def _return_line(
    config: EvaluatePolicy,
    player: Player,
    number: int,
    labels: str,
    shield: bool,
    episodes: Episodes,
) -> ReturnLine:
    rng = np.random.default_rng(config.seed)
    groups = np.array(episodes.first_seekers())
    by_group = {
        name: _mean(episodes.returns()[groups == name]) for name in ("A", "B", "C", "D", "E")
    }
    return ReturnLine(
        player.name,
        number,
        labels,
        shield,
        mean_return(episodes, rng, 1.0, config.resamples),
        mean_return(episodes, np.random.default_rng(config.seed), config.gamma, config.resamples),
        by_group,
        habits(episodes),
    )


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if values.size else None


def _over_runs(
    lines: Sequence[LabelLine], returns: Sequence[ReturnLine], differences: Sequence[Json]
) -> list[Json]:
    """Each score of a set-up over its runs."""
    values: dict[tuple[str, ...], list[float]] = {}

    def add(value: float | None, *key: str) -> None:
        if value is not None:
            values.setdefault(key, []).append(value)

    for line in lines:
        shield = "shielded" if line.shield else "unshielded"
        for name, value in line.values().items():
            add(value, line.system, line.labels, shield, line.session, name)
    for one in returns:
        shield = "shielded" if one.shield else "unshielded"
        add(one.mean.value, one.system, one.labels, shield, "simulated", "return")
        add(one.faded.value, one.system, one.labels, shield, "simulated", "faded return")
    for gap in differences:
        if gap["second_run"] == min(gap["run"], _last_run(differences, gap["second"])):
            place = f"minus {gap['second']}"
            for kind, name in (("undiscounted", "return"), ("faded", "faded return")):
                if gap[kind]:
                    key = (gap["first"], "gold", "shielded", "simulated", f"{name} {place}")
                    add(gap[kind]["value"], *key)
    names = ("system", "labels", "shield", "session", "score")
    return [
        {**dict(zip(names, key, strict=True)), **over_runs(found).to_dict()}
        for key, found in values.items()
    ]


def _last_run(differences: Sequence[Json], second: str) -> int:
    return max(int(gap["second_run"]) for gap in differences if gap["second"] == second)


def _first_values(player: tuple[Player, int], scene: _Scene) -> Floats:
    """Action values of the first policy on the scored messages, by gold labels."""
    first = player[0]
    if not isinstance(first, LearnedPlayer):
        raise ConfigError("the first policy must be a learned one")
    return first.policy.q(scene.assessments, scene.sessions)
