"""Small runs of the trainer, for tests marked neural."""

import torch
from trl import SFTConfig

from tests.tune.tiny import corpus_texts, model_of, tokenizer_of
from untwist.tune import Message, Objective, Sample, encode
from untwist.tune.trainer import TuneTrainer

RATE = 0.5


def samples(count):
    """Short and long ones, one in three of the diagnosis stream."""
    texts = corpus_texts(2 * count)
    return [
        Sample(
            f"{n}",
            "diagnosis" if n % 3 == 0 else "intervention",
            (Message("user", texts[n][: 20 + 9 * n]),),
            "Labels: none" if n % 3 == 0 else texts[n + count][: 10 + 5 * n],
        )
        for n in range(count)
    ]


def encoded(count, style="qwen2_5"):
    return [encode(sample, tokenizer_of(style), 512) for sample in samples(count)]


def arguments(folder, **changes):
    values = {
        "output_dir": str(folder),
        "per_device_train_batch_size": 8,
        "per_device_eval_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "max_steps": 1,
        "learning_rate": RATE,
        "lr_scheduler_type": "constant",
        "optim": "sgd",
        "max_grad_norm": 0.0,
        "weight_decay": 0.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "bf16": False,
        "activation_checkpointing": False,
        "use_cpu": True,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        "seed": 3,
    }
    return SFTConfig(**(values | changes))


def trained(folder, train, objective=None, model=None, fused=False, evaluation=(), **changes):
    tokenizer = tokenizer_of("qwen2_5")
    trainer = TuneTrainer(
        model or model_of(tokenizer),
        arguments(folder, **changes),
        train=train,
        tokenizer=tokenizer,
        objective=objective or Objective(),
        evaluation=evaluation,
    )
    trainer.fused = fused
    trainer.train()
    return trainer


def weights_of(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def losses_of(trainer, key="loss"):
    return [line[key] for line in trainer.state.log_history if key in line]
