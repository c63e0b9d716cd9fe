"""A tiny real model learns 32 samples by heart, and says their labels and replies again."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from tests.tune.runs import arguments, losses_of
from tests.tune.tiny import corpus_texts, model_of, tokenizer_of
from untwist.llm.calls import Request
from untwist.llm.local import Loaded, LocalModel
from untwist.taxonomy import CANONICAL
from untwist.tune import Message, Objective, Sample, encode_all
from untwist.tune.trainer import TuneTrainer

pytestmark = [pytest.mark.neural, pytest.mark.slow]

NAME, REPLY = Message("system", "Name the distortions."), Message("system", "Reply.")


def samples():
    """16 messages, each with its labels and with a reply."""
    texts = [text[:60] for text in corpus_texts(32)]
    made = []
    for n, text in enumerate(texts[:16]):
        said = Message("user", text)
        labels = ", ".join((CANONICAL[n % 12].value, CANONICAL[(5 * n + 1) % 12].value))
        made.append(Sample(f"d{n}", "diagnosis", (NAME, said), f"Labels: {labels}.\nEnd."))
        made.append(Sample(f"i{n}", "intervention", (REPLY, said), texts[16 + n]))
    return made


@pytest.mark.parametrize(
    ("style", "kind"),
    [("glm4", "llama"), ("llama3", "llama"), ("qwen2_5", "qwen2"), ("qwen3", "qwen2")],
)
def test_labels_and_replies_are_said_again_by_generation(tmp_path, style, kind):
    tokenizer = tokenizer_of(style)
    train, report = encode_all(samples(), tokenizer, 512)
    assert report.to_dict()["shortened"] == 0
    trainer = TuneTrainer(
        model_of(tokenizer, width=128, kind=kind),
        arguments(
            tmp_path,
            per_device_train_batch_size=8,
            gradient_accumulation_steps=2,
            max_steps=160,
            optim="adamw_torch",
            learning_rate=3e-3,
            lr_scheduler_type="cosine",
            warmup_steps=10,
            max_grad_norm=1.0,
            logging_steps=10,
        ),
        train=train,
        tokenizer=tokenizer,
        objective=Objective("dsco"),
    )
    trainer.train()
    assert losses_of(trainer)[0] > 5
    assert losses_of(trainer, "loss_diagnosis")[-1] < 0.01
    assert losses_of(trainer, "loss_intervention")[-1] < 0.01
    model = LocalModel("tiny", loaded=Loaded(tokenizer, trainer.model.eval()))
    for sample in samples():
        asked = tuple(message.to_dict() for message in sample.messages)
        answer = model.complete(Request(asked, max_tokens=200))
        assert answer.finish == "stop"
        assert answer.text.removeprefix("<think>\n\n</think>").strip() == sample.target.strip()


def test_a_model_that_was_not_trained_says_none_of_them():
    tokenizer = tokenizer_of("qwen2_5")
    model = LocalModel("tiny", loaded=Loaded(tokenizer, model_of(tokenizer).eval()))
    sample = samples()[0]
    asked = tuple(message.to_dict() for message in sample.messages)
    answer = model.complete(Request(asked, max_tokens=40, keep_cut=True))
    assert "Labels" not in answer.text
