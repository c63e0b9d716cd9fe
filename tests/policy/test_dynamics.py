"""How simulated people change: every effect by itself, all else equal."""

from dataclasses import fields, replace

import numpy as np
import pytest

from untwist.policy.dynamics import GROUPS, Dynamics, Seekers, advance, arrive, express
from untwist.policy.reward import ACTIONS
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk, Strategy

D, S = Distortion, Strategy
FEAR = CANONICAL.index(D.MAGNIFICATION)
GOLD, SILVER, OTHER = S.DECATASTROPHIZING, S.EXAMINE_EVIDENCE, S.REATTRIBUTION
LISTEN, CRISIS = S.EMPATHIC_VALIDATION, S.CRISIS_INTERVENTION
STEADY = Dynamics(leave=0.0, leave_distrust=0.0, leave_stuck=0.0, missed_leave=0.0, disclose=0.0,
                  disclose_trusting=0.0)  # fmt: skip


def people(n=1, *, belief=0.6, distress=0.6, trust=0.6, readiness=1.0, danger=0.0, **more):
    """So many with one distortion, all alike."""
    beliefs = np.zeros((n, len(CANONICAL)), np.float32)
    beliefs[:, FEAR] = belief
    counts = np.zeros((n, len(ACTIONS)), np.int64)
    last = more.pop("last", None)
    for strategy in more.pop("used", ()):
        counts[:, ACTIONS.index(strategy)] += 1
    values = {
        "group": np.full(n, GROUPS.index("C")),
        "lang": np.zeros(n, np.int64),
        "belief": beliefs,
        "counts": counts,
        "last": np.full(n, -1 if last is None else ACTIONS.index(last)),
        "disclosed": np.full(n, more.pop("disclosed", False)),
    }
    scalars = {"distress": distress, "trust": trust, "readiness": readiness, "danger": danger}
    values |= {name: np.full(n, value, np.float32) for name, value in scalars.items()}
    whole = {name: np.full(n, more.pop(name, 0)) for name in ("unmoved", "turn", "streak")}
    assert not more
    return Seekers(**values, **whole)


def after(strategy, dynamics=STEADY, said=(D.MAGNIFICATION,), seed=0, **how):
    """One person, and the outcome, after one turn."""
    before = people(**how)
    n = len(before.turn)
    labels = np.array([[d in said for d in CANONICAL]] * n)
    action = np.full(n, ACTIONS.index(strategy))
    return advance(dynamics, before, action, labels, np.random.default_rng(seed))


def belief(strategy, **how):
    return float(after(strategy, **how)[0].belief[0, FEAR])


def trust(strategy, **how):
    return float(after(strategy, **how)[0].trust[0])


def test_every_effect_is_named_with_its_source():
    doc = Dynamics.__doc__
    entries = {
        line.split(":")[0].strip(): line for line in doc.splitlines() if line.startswith(" " * 8)
    }
    for item in fields(Dynamics):
        assert item.name in entries or item.name == "resolved_belief", item.name
    body = doc.split("Attributes:")[1]
    named = [item.name for item in fields(Dynamics) if item.name not in ("name", "stratified")]
    places = [body.index(f" {name}:") for name in named if f" {name}:" in body]
    for start, end in zip(places, [*places[1:], len(body)], strict=True):
        words = body[start:end]
        source = ("assumption", "CoPoLLM", "Table", "the same", "and")
        assert any(word in words for word in source), words


def test_gold_works_better_than_silver_and_silver_better_than_what_suits_nothing():
    assert belief(GOLD, used=[LISTEN]) < belief(SILVER, used=[LISTEN]) < belief(OTHER)
    assert belief(OTHER) == pytest.approx(0.6)


def test_gold_works_best_when_trust_is_there():
    levels = [belief(GOLD, trust=t, used=[LISTEN]) for t in (0.3, 0.5, 0.7, 0.9)]
    assert levels[0] > levels[1] > levels[2] == levels[3]
    assert levels[2] == pytest.approx(0.6 - STEADY.gold_step)


def test_a_challenge_before_any_validation_costs_trust_and_one_after_it_does_not():
    early, later = trust(GOLD), trust(GOLD, used=[LISTEN], last=LISTEN)
    assert later - early == pytest.approx(STEADY.unvalidated_cost)
    assert later > 0.6


def test_a_challenge_right_after_a_challenge_costs_trust():
    paused = trust(GOLD, used=[LISTEN, SILVER], last=LISTEN)
    pressed = trust(GOLD, used=[LISTEN, SILVER], last=SILVER)
    assert paused - pressed == pytest.approx(STEADY.pressed_cost)


def test_the_same_strategy_again_helps_less_each_time():
    effects = []
    for streak in (0, 1, 2):
        before = {"last": GOLD, "streak": streak} if streak else {}
        effects.append(0.6 - belief(GOLD, used=[LISTEN], **before))
    assert effects == pytest.approx([0.25 * trusting() * 0.5**k for k in range(3)], rel=1e-4)


def trusting():
    """What trust of 0.6 leaves of an effect."""
    hold = (0.6 - STEADY.trust_floor) / (STEADY.trust_full - STEADY.trust_floor)
    return STEADY.distrusted + (1 - STEADY.distrusted) * hold


def test_a_mild_belief_relapses_when_it_is_pressed_and_not_when_it_is_heard():
    n = 4000
    pressed, _ = after(GOLD, n=n, belief=0.35, used=[LISTEN, SILVER], last=SILVER)
    grown = pressed.belief[:, FEAR] > 0.35 - STEADY.gold_step + 0.1
    assert grown.mean() == pytest.approx(STEADY.relapse_chance, abs=0.03)
    heard, _ = after(LISTEN, n=10, belief=0.35)
    assert (heard.belief[:, FEAR] < 0.35).all()


def test_a_severe_belief_does_not_relapse():
    pressed, _ = after(GOLD, n=100, belief=0.9, used=[SILVER], last=SILVER)
    assert (pressed.belief[:, FEAR] < 0.9).all()


def test_listening_wins_trust_and_eases_distress_but_hardly_moves_a_strong_belief():
    heard, _ = after(LISTEN, trust=0.4)
    assert heard.trust[0] == pytest.approx(0.4 + STEADY.validate_trust * 0.6)
    assert heard.distress[0] < 0.6
    assert heard.belief[0, FEAR] == pytest.approx(0.6)


def test_what_suits_nothing_costs_trust_and_hurts():
    assert trust(OTHER, used=[LISTEN]) < trust(SILVER, used=[LISTEN])
    mismatched = after(OTHER, used=[LISTEN])[0].distress[0]
    assert mismatched > after(SILVER, used=[LISTEN])[0].distress[0]


def test_an_alarm_without_need_costs_trust_and_so_does_danger_that_is_passed_over():
    assert trust(CRISIS) == pytest.approx(0.6 - STEADY.alarm_cost)
    passed = trust(SILVER, used=[LISTEN], danger=0.9, disclosed=True)
    assert passed == pytest.approx(0.6 - STEADY.missed_cost)


def test_disclosed_danger_and_crisis_intervention_end_with_a_human():
    _, outcome = after(CRISIS, danger=0.9, disclosed=True)
    assert outcome.handed[0]
    assert not outcome.left[0]
    _, quiet = after(CRISIS, danger=0.9, disclosed=False)
    assert not quiet.handed[0]


def test_danger_is_disclosed_late_and_sooner_where_there_is_trust():
    dynamics = replace(STEADY, disclose=0.05, disclose_trusting=0.5)
    shares = [
        after(SILVER, dynamics, n=4000, danger=0.9, trust=t, used=[LISTEN])[0].disclosed.mean()
        for t in (0.3, 0.95)
    ]
    assert shares[0] == pytest.approx(0.05, abs=0.02)
    assert shares[1] > 0.4
    assert not after(SILVER, dynamics, n=200, danger=0.1)[0].disclosed.any()


def test_great_distress_makes_danger_grow():
    assert after(SILVER, distress=1.0, danger=0.3)[0].danger[0] > 0.3
    assert after(SILVER, distress=0.5, danger=0.3)[0].danger[0] < 0.3


def test_people_leave_when_trust_is_lost_and_when_nothing_moves():
    dynamics = replace(STEADY, leave_distrust=0.6, leave_stuck=0.08)
    left = [
        after(OTHER, dynamics, n=4000, trust=t, used=[LISTEN], unmoved=u)[1].left.mean()
        for t, u in ((0.9, 0), (0.15, 0), (0.9, 8))
    ]
    assert left[0] == 0.0
    assert left[1] > 0.4
    assert left[2] == pytest.approx(0.08 * 6, abs=0.03)


def test_a_small_belief_and_little_distress_end_well():
    _, outcome = after(LISTEN, belief=0.2, distress=0.3)
    assert outcome.resolved[0]
    assert outcome.improvement[0] > STEADY.gain_resolved
    _, secret = after(LISTEN, belief=0.2, distress=0.3, danger=0.9)
    assert not secret.resolved[0]


def test_whoever_leaves_with_danger_unspoken_is_the_worst_end():
    certain = replace(STEADY, leave=1.0)
    _, plain = after(SILVER, certain, used=[LISTEN])
    _, secret = after(SILVER, certain, used=[LISTEN], danger=0.9)
    assert plain.improvement[0] - secret.improvement[0] == pytest.approx(-certain.loss_danger)
    assert plain.improvement[0] < -2


@pytest.mark.parametrize("strategy", ACTIONS)
def test_everything_stays_between_zero_and_one(strategy):
    seekers = arrive(Dynamics(), 500, np.random.default_rng(0), np.full(12, 1 / 12))
    labels = seekers.belief > 0
    for _ in range(6):
        action = np.full(500, ACTIONS.index(strategy))
        seekers, outcome = advance(Dynamics(), seekers, action, labels, np.random.default_rng(1))
        for name in ("belief", "distress", "trust", "readiness", "danger"):
            values = getattr(seekers, name)
            assert values.min() >= 0
            assert values.max() <= 1
        assert not (outcome.resolved & outcome.left).any()


def test_groups_come_in_their_shares_and_every_distortion_as_often():
    made = arrive(Dynamics(), 40_000, np.random.default_rng(0), np.eye(12)[0])
    shares = np.bincount(made.group, minlength=5) / 40_000
    assert shares == pytest.approx(Dynamics().mix, abs=0.01)
    first = np.bincount(made.belief.argmax(axis=1)[made.group > 0], minlength=12)
    assert first / first.sum() == pytest.approx(np.full(12, 1 / 12), abs=0.01)
    assert not made.belief[made.group == 0].any()


def test_without_stratification_distortions_come_as_often_as_they_are_given():
    shares = np.array([0.7, *[0.3 / 11] * 11])
    made = arrive(replace(Dynamics(), stratified=False), 20_000, np.random.default_rng(0), shares)
    held = made.belief.argmax(axis=1)[made.group > 0]
    assert (held == 0).mean() == pytest.approx(0.7, abs=0.02)


def test_half_of_those_in_danger_do_not_say_so_at_first():
    made = arrive(Dynamics(), 20_000, np.random.default_rng(0), np.full(12, 1 / 12))
    in_danger = made.group == GROUPS.index("E")
    assert made.disclosed[in_danger].mean() == pytest.approx(0.5, abs=0.03)
    assert not made.disclosed[~in_danger].any()


def test_what_is_said_follows_belief_distress_and_disclosure():
    luck = np.array([0.5], np.float32)
    spoken = [
        [int(one[0]) for one in express(Dynamics(), people(**how), luck)]
        for how in (
            {"belief": 0.3, "distress": 0.1},
            {"belief": 0.6, "distress": 0.5},
            {"belief": 0.9, "distress": 0.9},
            {"belief": 0.1, "distress": 0.1},
            {"belief": 0.9, "distress": 0.9, "disclosed": True},
        )
    ]
    assert [one[0] for one in spoken] == [FEAR, FEAR, FEAR, len(CANONICAL), FEAR]
    mild, moderate, severe = (i.rank for i in Intensity)
    assert [one[1] for one in spoken[:3]] == [mild, moderate, severe]
    assert [one[2] for one in spoken] == [r.rank for r in
            (Risk.NONE, Risk.LOW, Risk.MEDIUM, Risk.NONE, Risk.HIGH)]  # fmt: skip


def test_equal_chance_gives_equal_people():
    one, two = (
        arrive(Dynamics(), 50, np.random.default_rng(9), np.full(12, 1 / 12)) for _ in range(2)
    )
    for item in fields(Seekers):
        assert np.array_equal(getattr(one, item.name), getattr(two, item.name))
