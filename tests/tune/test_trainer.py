"""The trainer: one step against a reference in the open, parts of a step, rows that fill up."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

import torch
import transformers

from tests.tune.runs import RATE, arguments, encoded, losses_of, trained, weights_of
from tests.tune.tiny import model_of, tokenizer_of
from untwist.errors import ConfigError, DataError
from untwist.tune import IGNORED, Objective
from untwist.tune.trainer import TuneTrainer

pytestmark = pytest.mark.neural


def one_by_one(model, each):
    """The cross-entropies of a sample's target tokens: no batch, no padding, all logits."""
    ids = torch.tensor([each.input_ids])
    log_probs = torch.log_softmax(model(input_ids=ids).logits[0, :-1].double(), dim=-1)
    found = [
        -log_probs[place - 1, label]
        for place, label in enumerate(each.labels)
        if label != IGNORED and place
    ]
    return torch.stack(found)


def naive_loss(name, model, train):
    """The three losses as their formulas are printed."""
    each = [(s.stream, one_by_one(model, s)) for s in train]
    if name == "sample_mean":
        return torch.stack([found.mean() for _, found in each]).mean()
    if name == "token_mean":
        return torch.cat([found for _, found in each]).mean()
    streams = {stream for stream, _ in each}
    return sum(torch.cat([f for s, f in each if s == stream]).mean() for stream in streams)


def naive_value(name, model, train):
    with torch.no_grad():
        return naive_loss(name, model, train).item()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", ["dsco", "sample_mean", "token_mean"])
def test_one_step_is_that_of_a_naive_reference(tmp_path, name, fused):
    train = encoded(8)
    reference = model_of(tokenizer_of("qwen2_5"))
    loss = naive_loss(name, reference, train)
    loss.backward()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter -= RATE * parameter.grad
    trainer = trained(tmp_path, train, Objective(name), fused=fused)
    assert losses_of(trainer) == [pytest.approx(loss.item(), abs=1e-6)]
    difference = (weights_of(trainer.model) - weights_of(reference)).abs().max()
    assert float(difference) < 1e-6
    # the step moved the weights by much more than that
    start = weights_of(model_of(tokenizer_of("qwen2_5")))
    assert float((weights_of(reference) - start).abs().max()) > 1e-3


def test_a_model_that_counts_places_from_the_first_column_is_told_where_a_text_begins(tmp_path):
    tokenizer = tokenizer_of("qwen2_5")
    settings = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=512,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.GPT2LMHeadModel(settings)
    with torch.no_grad():
        # places matter
        model.transformer.wpe.weight *= 20
    # one pass, so that the shorter rows are padded
    train = encoded(4)
    expected = naive_value("dsco", model.eval(), train)
    trainer = trained(tmp_path, train, model=model, per_device_train_batch_size=4)
    assert losses_of(trainer) == [pytest.approx(expected, abs=1e-5)]


@pytest.mark.parametrize("name", ["dsco", "sample_mean", "token_mean"])
def test_a_step_of_eight_is_that_of_two_times_four_and_of_eight_times_one(tmp_path, name):
    train = encoded(24)
    found = {}
    for batch in (8, 4, 1):
        parts = {
            "per_device_train_batch_size": batch,
            "gradient_accumulation_steps": 8 // batch,
        }
        found[batch] = trained(tmp_path, train, Objective(name), max_steps=3, **parts)
    for batch in (4, 1):
        assert losses_of(found[batch]) == pytest.approx(losses_of(found[8]), abs=1e-6)
        difference = weights_of(found[batch].model) - weights_of(found[8].model)
        assert float(difference.abs().max()) < 1e-6


def test_a_micro_batch_without_one_stream_does_not_change_the_step(tmp_path):
    # one sample of diagnosis in a step of eight: seven of eight micro-batches lack it
    train = [s for s in encoded(24) if s.stream == "intervention"][:7]
    train.append(next(s for s in encoded(24) if s.stream == "diagnosis"))
    whole = trained(tmp_path, train)
    cut = trained(tmp_path, train, per_device_train_batch_size=1, gradient_accumulation_steps=8)
    assert losses_of(cut) == pytest.approx(losses_of(whole), abs=1e-6)


def test_the_log_has_each_streams_own_loss(tmp_path):
    train = encoded(8)
    model = model_of(tokenizer_of("qwen2_5"))
    expected = {
        stream: naive_value("token_mean", model, [s for s in train if s.stream == stream])
        for stream in ("diagnosis", "intervention")
    }
    trainer = trained(tmp_path, train)
    for stream, loss in expected.items():
        assert losses_of(trainer, f"loss_{stream}") == [pytest.approx(loss, abs=1e-6)]
    assert losses_of(trainer) == [pytest.approx(sum(expected.values()), abs=1e-6)]
    assert losses_of(trainer, "loss_plain") == []
    assert losses_of(trainer, "steps_without_diagnosis") == []


def test_steps_that_lack_a_stream_are_counted(tmp_path):
    train = [s for s in encoded(24) if s.stream == "intervention"][:7]
    train.append(next(s for s in encoded(24) if s.stream == "diagnosis"))
    trainer = trained(tmp_path, train, per_device_train_batch_size=2, max_steps=4, logging_steps=4)
    assert losses_of(trainer, "steps_without_diagnosis") == [3]


def test_held_out_loss_is_that_of_all_samples_however_they_are_batched(tmp_path):
    held_out = encoded(10)
    for name in ("dsco", "sample_mean", "token_mean"):
        expected = naive_value(name, model_of(tokenizer_of("qwen2_5")), held_out)
        for batch in (3, 4):
            trainer = trained(
                tmp_path,
                encoded(4),
                Objective(name),
                evaluation=held_out,
                per_device_eval_batch_size=batch,
                learning_rate=0.0,
            )
            found = trainer.evaluate()
            assert found["eval_loss"] == pytest.approx(expected, abs=1e-6)
            assert set(found) >= {"eval_loss_diagnosis", "eval_loss_intervention"}


def test_padding_changes_neither_loss_nor_gradient(tmp_path, monkeypatch):
    monkeypatch.setattr("untwist.tune.trainer.passes", lambda lengths: [list(range(len(lengths)))])
    # beside a much longer sample that weighs nothing, a short one is mostly padding
    short, long = encoded(24)[1], encoded(24)[23]
    tokenizer = tokenizer_of("qwen2_5")
    trainer = trained(tmp_path, [short], max_steps=1)
    rows = [
        {"input_ids": list(e.input_ids), "labels": list(e.labels), "stream": 1}
        for e in (short, long)
    ]
    rows[1]["labels"] = [IGNORED] * len(rows[1]["labels"])
    found = []
    for batch in (rows[:1], rows):
        model = model_of(tokenizer).train()
        loss = trainer.compute_loss(model, trainer.data_collator(batch))
        loss.backward()
        gradient = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
        found.append((loss.item(), gradient))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-6)
    assert float((found[0][1] - found[1][1]).abs().max()) < 1e-6
    assert torch.isfinite(found[1][1]).all()


def test_rows_in_several_passes_have_the_gradient_of_one(tmp_path, monkeypatch):
    found = []
    for parted in (lambda n: [[1, 3], [0], [2]], lambda n: [[0, 1, 2, 3]]):
        monkeypatch.setattr("untwist.tune.trainer.passes", parted)
        trainer = trained(tmp_path, encoded(4), per_device_train_batch_size=4)
        found.append((losses_of(trainer), weights_of(trainer.model)))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-6)
    assert float((found[0][1] - found[1][1]).abs().max()) < 1e-6


def test_a_batch_of_nothing_but_filling_rows_has_a_loss_of_zero(tmp_path):
    trainer = trained(tmp_path, encoded(2))
    row = {"input_ids": [5], "labels": [IGNORED], "stream": 2}
    for fused in (False, True):
        trainer.fused = fused
        loss = trainer.compute_loss(trainer.model, trainer.data_collator([row, row]))
        assert loss.item() == 0.0
        loss.backward()


def test_a_model_that_cannot_leave_out_columns_has_the_same_loss(tmp_path):
    trainer = trained(tmp_path, encoded(4))
    batch = next(iter(trainer.get_train_dataloader()))
    kept = trainer.compute_loss(trainer.model, batch).item()
    assert trainer._keeps
    trainer._keeps = False
    assert trainer.compute_loss(trainer.model, batch).item() == pytest.approx(kept, abs=1e-6)


def test_two_runs_of_one_seed_are_equal_and_of_two_seeds_are_not(tmp_path):
    runs = [
        trained(tmp_path, encoded(24), max_steps=4, per_device_train_batch_size=4, seed=seed)
        for seed in (3, 3, 4)
    ]
    assert losses_of(runs[0]) == losses_of(runs[1])
    assert losses_of(runs[0]) != losses_of(runs[2])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"packing": True}, "packing"),
        ({"assistant_only_loss": True}, "assistant_only_loss"),
        ({"label_smoothing_factor": 0.1}, "label_smoothing_factor"),
        ({"loss_type": "dft"}, "loss_type"),
    ],
)
def test_a_setting_that_would_be_ignored_is_refused(tmp_path, changes, says):
    with pytest.raises(ConfigError, match=says):
        trained(tmp_path, encoded(2), **changes)


def test_nothing_to_learn_is_refused(tmp_path):
    with pytest.raises(DataError, match="no sample to learn"):
        trained(tmp_path, [])


def test_the_callers_arguments_are_left_as_they_were(tmp_path):
    args = arguments(tmp_path)
    TuneTrainer(
        model_of(tokenizer_of("qwen2_5")),
        args,
        train=encoded(2),
        tokenizer=tokenizer_of("qwen2_5"),
        objective=Objective(),
    )
    assert args.dataset_kwargs is None
    assert np.isclose(args.learning_rate, RATE)


def test_every_epoch_has_an_order_of_its_own_and_rows_that_fill_up_come_last(tmp_path):
    trainer = trained(tmp_path, encoded(21), per_device_train_batch_size=4)
    orders = []
    for epoch in (0, 0.9, 1.0, 2.5):
        trainer.state.epoch = epoch
        orders.append(list(trainer._get_train_sampler()))
    assert orders[0] == orders[1]
    assert orders[0] != orders[2] != orders[3]
    assert all(sorted(order[:21]) == list(range(21)) for order in orders)
    assert all(order[21:] == [21, 22, 23] for order in orders)
