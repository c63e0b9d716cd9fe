"""A configuration in the words of the libraries that carry it out: plain values, nothing heavy.

What stands here is the whole of what transformers, peft and bitsandbytes are told, so that a test
can hold every key of a preset to its effect without any of them.
"""

from __future__ import annotations

from untwist.schema import Json
from untwist.tune.config import LoadConfig, LoraConfig, TuneConfig

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
_OPTIMIZERS = {"adamw": "adamw_torch", "adamw_8bit": "adamw_8bit"}


def training_arguments(config: TuneConfig) -> Json:
    """What `transformers.TrainingArguments` is told, but for the folder."""
    optim, steps = config.optim, config.steps
    told: Json = {
        "seed": config.seed,
        "data_seed": config.seed,
        "optim": _OPTIMIZERS[optim.name],
        "learning_rate": optim.learning_rate,
        "adam_beta1": optim.beta1,
        "adam_beta2": optim.beta2,
        "adam_epsilon": optim.epsilon,
        "weight_decay": optim.weight_decay,
        "lr_scheduler_type": _schedule(config),
        # transformers 5 takes a share below 1 and a number of steps under one name
        "warmup_steps": optim.warmup_steps or optim.warmup_ratio,
        "max_grad_norm": optim.clip,
        "per_device_train_batch_size": steps.batch,
        "per_device_eval_batch_size": steps.batch,
        "gradient_accumulation_steps": steps.accumulation,
        "num_train_epochs": steps.epochs or 1,
        "max_steps": steps.steps or -1,
        "logging_steps": steps.log_every,
        "bf16": config.load.precision == "bf16",
        "fp16": config.load.precision == "fp16",
        "gradient_checkpointing": config.load.checkpointing,
    }
    best = steps.keep == "best"
    return told | {
        "eval_strategy": "epoch" if best else "no",
        "save_strategy": "epoch",
        "load_best_model_at_end": best,
        "metric_for_best_model": "eval_loss" if best else None,
        "greater_is_better": False if best else None,
        "save_total_limit": 1,
    }


def _schedule(config: TuneConfig) -> str:
    optim = config.optim
    warms = optim.warmup_steps or optim.warmup_ratio
    return "constant_with_warmup" if optim.schedule == "constant" and warms else optim.schedule


def lora_arguments(lora: LoraConfig) -> Json:
    """What `peft.LoraConfig` is told."""
    return {
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "target_modules": list(lora.targets),
        "bias": "none",
        "task_type": "CAUSAL_LM",
    }


def quantization_arguments(load: LoadConfig) -> Json | None:
    """What `transformers.BitsAndBytesConfig` is told; None where nothing is quantised."""
    if load.bits != 4:
        return None
    return {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": _DTYPES[load.precision],
    }


def dtype_of(load: LoadConfig) -> str:
    """The name of torch's type that the frozen weights are loaded in.

    Weights of an fp16 run stay in fp16: autocast and the gradient scaler do the rest, for the
    adapter is in fp32.
    """
    return _DTYPES[load.precision]
