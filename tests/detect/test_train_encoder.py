"""Training an encoder: one step by hand, parts that change nothing, stops that lose nothing."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.detect import tiny, tiny_encoder  # noqa: E402
from untwist.detect import EncoderConfig, ask_teacher, fit_encoder  # noqa: E402
from untwist.detect.encoder_run import rate_at  # noqa: E402
from untwist.detect.tasks import tasks_of  # noqa: E402
from untwist.detect.thresholds import GRID  # noqa: E402
from untwist.errors import ArtifactError, ConfigError, DataError  # noqa: E402
from untwist.schema import Labels, Utterance  # noqa: E402
from untwist.taxonomy import CANONICAL, Distortion  # noqa: E402

pytestmark = pytest.mark.neural
CONFIG = replace(tiny_encoder.CONFIG, epochs=2, learning_rate=1e-3)
TWO = {"first": tiny.examples()[:24], "second": tiny.examples()[24:]}


def _fit(examples=None, config=CONFIG, validation=None, **options):
    options["base"] = options.get("base") or tiny_encoder.base()
    return fit_encoder(examples or {"tiny": tiny.examples()}, config, validation, **options)


def _weights(fitted):
    return {k: v.clone() for k, v in fitted.detector.network.state_dict().items()}


def _equal(one, other, **tolerance):
    assert one.keys() == other.keys()
    if tolerance:
        return all(torch.allclose(one[k], other[k], **tolerance) for k in one)
    return all(torch.equal(one[k], other[k]) for k in one)


def test_it_learns_what_is_there_to_be_learnt():
    detector = tiny_encoder.detector()
    for example in tiny.examples():
        heard = detector.detect(example.utterance)
        assert {f.distortion for f in heard.findings} == example.labels.distortions
        assert heard.intensity == example.labels.intensity


def test_equal_arguments_give_equal_weights_and_the_callers_chance_is_left_alone():
    config, bases = replace(CONFIG, dropout=0.3), [tiny_encoder.base() for _ in range(3)]
    found = []
    for chance, seed, base in zip((5, 99, 5), (1, 1, 2), bases, strict=True):
        torch.manual_seed(chance)
        before = torch.get_rng_state()
        found.append(_weights(_fit(config=replace(config, seed=seed), base=base)))
        assert torch.equal(before, torch.get_rng_state())
    assert _equal(found[0], found[1])
    assert not _equal(found[0], found[2])


def _naive(config, examples):
    """The same training as anyone would write it: one text at a time, no masks, cell by cell."""
    base = tiny_encoder.base()
    torch.manual_seed(config.seed)
    tokens = base.tokens(config.max_length)
    head = torch.nn.Linear(base.body.config.hidden_size, config.outputs.count)
    body = base.body.train()
    parameters = [*body.parameters(), *head.parameters()]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=False)
    gold, mask = config.outputs.targets([e.labels for e in examples])
    losses = []
    for example, truth, known in zip(examples, gold, mask, strict=True):
        ids = torch.tensor(tokens.ids([example.utterance.text]))
        chance = torch.sigmoid(head(body(ids).last_hidden_state[0].mean(dim=0)))
        losses += [
            -torch.log(chance[k] if truth[k] else 1 - chance[k])
            for k in range(len(truth))
            if known[k]
        ]
    loss = torch.stack(losses).mean()
    loss.backward()
    optimizer.step()
    found = {f"body.{k}": v for k, v in body.state_dict().items()}
    found |= {f"heads.0.{k}": v for k, v in head.state_dict().items()}
    return loss.item(), found


def test_one_step_is_that_of_a_naive_reference():
    examples = tiny.examples()[:7]
    config = replace(CONFIG, epochs=1, batch=16)
    fitted = _fit({"tiny": examples}, config)
    loss, weights = _naive(config, examples)
    assert fitted.epochs[0]["loss"] == pytest.approx(loss, abs=1e-6)
    assert _equal(_weights(fitted), weights, atol=1e-6, rtol=0)


@pytest.mark.parametrize("heads", ["shared", "per_corpus"])
def test_micro_batches_change_nothing(heads):
    config = replace(CONFIG, heads=heads, weight_decay=0.0)
    whole = _fit(TWO, config)
    parts = _fit(TWO, replace(config, accumulation=4))
    assert whole.epochs[-1]["loss"] == pytest.approx(parts.epochs[-1]["loss"], abs=1e-6)
    assert _equal(_weights(whole), _weights(parts), atol=2e-5, rtol=0)


def test_a_head_learns_from_its_own_corpus_alone():
    config = replace(CONFIG, heads="per_corpus", epochs=1, sampling="paper")
    other = [replace(e, labels=replace(e.labels, distortions=frozenset())) for e in TWO["second"]]
    one = _fit(TWO, config)
    two = _fit({**TWO, "second": other}, config)
    changed = {k for k, v in _weights(one).items() if not torch.equal(v, _weights(two)[k])}
    assert "heads.1.weight" in changed
    assert "heads.0.weight" not in changed
    assert one.detector.decisions.heads == ("first", "second")


class _Stop(Exception):
    """The power fails."""


def _stopping(epoch):
    def progress(stage, done, total):
        if stage.startswith(f"epoch {epoch}/") and done == 2:
            raise _Stop

    return progress


@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(tmp_path, schedule):
    config = replace(
        CONFIG, dropout=0.3, epochs=4, patience=3, schedule=schedule, warmup=0.2, clip=1.0
    )
    whole = _fit(TWO, config, TWO)
    with pytest.raises(_Stop):
        _fit(TWO, config, TWO, keep=tmp_path, progress=_stopping(3))
    assert [f.name for f in tmp_path.iterdir()] == ["epoch-0002"]
    resumed = _fit(TWO, config, TWO, resume_from=tmp_path)
    assert _equal(_weights(whole), _weights(resumed))
    assert resumed.epochs == whole.epochs
    assert resumed.best == whole.best


def test_what_is_kept_is_safetensors_and_json_alone(tmp_path):
    _fit(config=replace(CONFIG, epochs=1), keep=tmp_path)
    kept = {f.suffix for f in tmp_path.rglob("*") if f.is_file()}
    assert kept == {".safetensors", ".json"}


def test_a_run_with_other_settings_is_not_resumed(tmp_path):
    _fit(config=replace(CONFIG, epochs=1), keep=tmp_path)
    with pytest.raises(ConfigError, match="another learning_rate: start anew"):
        _fit(config=replace(CONFIG, epochs=1, learning_rate=1e-4), resume_from=tmp_path)


def test_an_epoch_that_was_cut_short_is_not_resumed(tmp_path):
    _fit(config=replace(CONFIG, epochs=1), keep=tmp_path)
    (tmp_path / "epoch-0001" / "state.json").unlink()
    with pytest.raises(ArtifactError, match="no whole epoch"):
        _fit(resume_from=tmp_path)


def test_the_best_epoch_of_validation_is_kept_and_training_ends_when_it_stays_the_best():
    config = replace(CONFIG, epochs=60, patience=8, learning_rate=5e-3, seed=1)
    fitted = _fit(None, config, {"tiny": tiny.examples()})
    scores = [one["score"] for one in fitted.epochs]
    assert fitted.best == int(np.argmax(scores))
    assert len(scores) == fitted.best + 1 + 8 < 60
    assert scores[fitted.best] == 1.0
    gold = [e.labels.distortions for e in tiny.examples()]
    heard = fitted.detector.detect_many(e.utterance for e in tiny.examples())
    assert [{f.distortion for f in one.findings} for one in heard] == gold


def test_the_kept_epoch_is_the_best_and_not_the_last():
    # a rate that jumps about: the last epoch is not the best
    config = replace(CONFIG, epochs=6, patience=6, learning_rate=3e-2, threshold=0.3)
    fitted = _fit(None, config, {"tiny": tiny.examples()})
    scores = [one["score"] for one in fitted.epochs]
    assert fitted.best < len(scores) - 1
    stopped = _fit(None, replace(config, epochs=fitted.best + 1), {"tiny": tiny.examples()})
    assert _equal(_weights(fitted), _weights(stopped))


def test_thresholds_come_from_validation_where_the_settings_say_so():
    config = replace(CONFIG, threshold_from="validation", epochs=12, threshold=0.9)
    fitted = _fit(None, config, {"tiny": tiny.examples()})
    cut = fitted.detector.decisions.thresholds
    assert (cut == cut[0, 0]).all()
    assert cut[0, 0] != np.float32(0.9)
    each = _fit(None, replace(config, threshold_from="validation_each"), {"tiny": tiny.examples()})
    assert len(set(each.detector.decisions.thresholds[0].tolist())) > 1


def test_the_threshold_of_a_head_comes_from_its_own_corpus():
    config = replace(
        CONFIG, threshold_from="validation", heads="per_corpus", intensity=False, epochs=1
    )
    everything = [
        replace(e, labels=replace(e.labels, distortions=e.labels.carried)) for e in TWO["second"]
    ]
    fitted = _fit(TWO, config, {"first": TWO["first"], "second": everything})
    first, second = fitted.detector.decisions.thresholds
    alone = _fit(TWO, config, {"first": TWO["first"]}).detector.decisions.thresholds
    assert (first == alone[0]).all()
    # where every label holds, the lowest threshold hears most
    assert (second == GRID[0]).all()
    assert (first > second).all()


def test_a_teacher_is_heard_on_what_the_corpus_can_carry_alone():
    carried = frozenset({Distortion.LABELING})
    said = np.full(len(CANONICAL), 0.9, np.float32)
    rows = [
        replace(e, labels=replace(e.labels, carried=carried), teacher=said)
        for e in tiny.examples()
        if e.labels.distortions != {Distortion.MAGNIFICATION}
    ]
    task = tasks_of({"tiny": rows}, CONFIG, tiny_encoder.base().tokens(32))["tiny"]
    (column,) = np.flatnonzero(task.taught.any(axis=0))
    assert CONFIG.labels[column] == Distortion.LABELING.value


def test_a_label_that_no_corpus_carries_is_never_heard():
    carried = frozenset({Distortion.LABELING, Distortion.MAGNIFICATION})
    rows = [replace(e, labels=replace(e.labels, carried=carried)) for e in tiny.examples()]
    detector = _fit({"tiny": rows}).detector
    columns = [detector.outputs.index(d.value) for d in carried]
    chance = detector.predict_proba(["I am such a loser"])[0]
    known = set(np.flatnonzero(~np.isnan(chance)))
    assert known == {*columns, detector.outputs.index("none"), 15, 16}


def _student(**changes):
    config = replace(CONFIG, intensity=False, epochs=6, learning_rate=5e-3, **changes)
    rows = tiny.examples()
    column = CANONICAL.index(Distortion.BLAMING)
    said = np.full(len(CANONICAL), np.nan, np.float32)
    said[column] = 0.9
    taught = [replace(e, teacher=said) for e in rows]
    fitted = _fit({"tiny": taught}, config)
    place = fitted.detector.outputs.index(Distortion.BLAMING.value)
    return fitted.detector.predict_proba([e.utterance.text for e in rows])[:, place].mean()


def test_a_student_leans_towards_its_teacher_as_far_as_alpha_lets_it():
    # nobody blames in these texts; the teacher alone says so
    alone, some, all_ = _student(alpha=1.0), _student(alpha=0.5), _student(alpha=0.0)
    assert alone < 0.1 < some < all_
    assert all_ == pytest.approx(0.9, abs=0.05)
    assert _student(alpha=0.0, soft_loss="one_sided") > all_


def test_a_teacher_of_one_label_a_text_teaches_a_student_through_its_cache(tmp_path):
    config = replace(
        CONFIG, objective="one", intensity=False, epochs=20, learning_rate=5e-3, alpha=0.5
    )
    teacher = _fit(config=config, name="teacher").detector
    for example in tiny.examples():
        assert {f.distortion for f in teacher.detect(example.utterance).findings} == set(
            example.labels.distortions
        )
    taught = ask_teacher(teacher, "v1", tiny.examples(), tmp_path / "soft.safetensors")
    known = ~np.isnan(np.stack([e.teacher for e in taught.examples]))
    assert known.all()
    student = _fit({"tiny": taught.examples}, replace(config, objective="each")).detector
    assert student.decisions.single is False


def test_several_labels_where_each_text_must_have_one_are_refused():
    two = frozenset({Distortion.LABELING, Distortion.MAGNIFICATION})
    rows = [*tiny.examples(), replace(tiny.examples()[0], labels=Labels(two, frozenset(CANONICAL)))]
    config = replace(CONFIG, objective="one", intensity=False)
    with pytest.raises(DataError, match="1 texts have not one label"):
        _fit({"tiny": rows}, config)


def test_texts_that_nobody_judged_are_left_out_and_counted_and_cut_ones_are_counted():
    blank = replace(tiny.examples()[0], labels=Labels(None, frozenset(CANONICAL)))
    long = replace(tiny.examples()[0], utterance=Utterance("tea " * 80))
    fitted = _fit({"tiny": [*tiny.examples(), blank, blank, long]})
    assert (fitted.unjudged, fitted.truncated) == ({"tiny": 2}, {"tiny": 1})
    with pytest.raises(DataError, match="no text whose labels are judged"):
        _fit({"tiny": [blank]})


def test_no_texts_and_patience_without_validation_are_refused():
    with pytest.raises(DataError, match="no training texts"):
        fit_encoder({}, CONFIG)
    with pytest.raises(ConfigError, match="need validation texts"):
        _fit(config=replace(CONFIG, patience=2))


def test_a_loss_that_runs_away_is_an_error_that_says_what_to_do():
    with pytest.raises(ConfigError, match="lower learning_rate"):
        _fit(config=replace(CONFIG, learning_rate=1e30, epochs=3))


def test_the_rate_rises_and_falls_by_hand():
    config = replace(CONFIG, learning_rate=1.0, warmup=0.25, schedule="linear")
    rates = [rate_at(step, 8, config) for step in range(8)]
    # two steps up, six down to just above zero
    assert rates == pytest.approx([0.5, 1.0, 1.0, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])
    flat = replace(config, schedule="constant", warmup=0.0)
    assert [rate_at(step, 8, flat) for step in range(8)] == [1.0] * 8


def test_half_precision_learns_too_and_needs_a_gpu_for_fp16():
    fitted = _fit(config=replace(CONFIG, precision="bf16", epochs=12, learning_rate=5e-3))
    losses = [one["loss"] for one in fitted.epochs]
    assert losses[-1] < losses[0] / 2
    assert {v.dtype for v in _weights(fitted).values()} == {torch.float32}
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="GPU"):
            _fit(config=replace(CONFIG, precision="fp16"))


_OTHER = {
    "labels": {"labels": ("labeling", "magnification", "none")},
    "intensity": {"intensity": False},
    "heads": {"heads": "per_corpus"},
    "objective": {"objective": "one", "intensity": False},
    "pooling": {"pooling": "first"},
    "dropout": {"dropout": 0.4},
    "max_length": {"max_length": 8},
    "windows": {"windows": False},
    "batch": {"batch": 4},
    "accumulation": {"accumulation": 3},
    "learning_rate": {"learning_rate": 2e-3},
    "schedule": {"schedule": "linear"},
    "warmup": {"warmup": 0.5},
    "weight_decay": {"weight_decay": 0.9},
    "clip": {"clip": 1e-3},
    "epochs": {"epochs": 1},
    "patience": {"patience": 1},
    "select": {"select": "macro_f1"},
    "threshold": {"threshold": 0.1},
    "threshold_from": {"threshold_from": "validation"},
    "alpha": {"alpha": 0.1},
    "soft_loss": {"soft_loss": "one_sided"},
    "sampling": {"sampling": "paper"},
    "temperature": {"temperature": 0.05, "sampling": "temperature"},
    "group_by_length": {"group_by_length": False},
    "precision": {"precision": "bf16"},
    "gradient_checkpointing": {"gradient_checkpointing": True},
    "seed": {"seed": 3},
}
_ELSEWHERE = {"encoder", "revision", "download", "device"}
"""What chooses the encoder and the machine; tests of its own have it."""


def _seen(config):
    """Everything that a training leaves, as text; a longer text shows whether it is cut."""
    column = np.full(len(CANONICAL), 0.7, np.float32)
    taught = {k: [replace(e, teacher=column) for e in v] for k, v in TWO.items()}
    base, calls = tiny_encoder.base(), []
    base.body.register_forward_hook(lambda *given: calls.append(1))
    fitted = _fit(taught, config, TWO, base=base)
    network = fitted.detector.network
    long = "The tea was late. " * 12
    return json.dumps(
        {
            "epochs": fitted.epochs,
            "passes": len(calls),
            "weights": [float(v.double().abs().sum()) for v in _weights(fitted).values()],
            "thresholds": fitted.detector.decisions.thresholds.tolist(),
            "long": fitted.detector.predict_proba([long]).tolist(),
            "checkpointing": network.body.is_activation_checkpointing,
        }
    )


@pytest.mark.parametrize("key", sorted({f.name for f in fields(EncoderConfig)} - _ELSEWHERE))
def test_every_key_has_an_effect(key):
    start = {"temperature": {"sampling": "temperature"}, "objective": {"intensity": False}}
    plain = replace(CONFIG, epochs=3, patience=3, threshold=0.3, **start.get(key, {}))
    if key == "select":
        plain = replace(plain, epochs=12, learning_rate=5e-3, threshold=0.2, patience=12)
    if key == "patience":
        plain = replace(plain, epochs=12, learning_rate=5e-3, patience=12)
    assert _seen(replace(plain, **_OTHER[key])) != _seen(plain)
