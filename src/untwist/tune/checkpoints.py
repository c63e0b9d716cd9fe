"""TRL's trainer with checkpoints that hold no pickle.

Heavy: importing this module needs PyTorch, transformers and TRL. Leaves out: models that are shared
out over processes by FSDP or DeepSpeed, whose libraries write folders of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from untwist.errors import ConfigError, MissingExtra

try:
    from trl import SFTTrainer

    from untwist.tune.state import chance, load_state, save_state, set_chance
except ImportError as error:
    raise MissingExtra("tuning a language model", "finetune") from error

_STATE, _SCALER, _CHANCE = "training_state", "scaler_state", "chance"
_PICKLED = "training_args.bin"


class PlainCheckpoints(SFTTrainer):
    """Writes what a run needs to go on as safetensors and JSON, and reads it again.

    Each process keeps the state of its own generators of random numbers.
    """

    @property
    def _sharded(self) -> bool:
        return bool(self.is_deepspeed_enabled or self.is_fsdp_enabled)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ANN401
        super()._save(output_dir, state_dict)
        # the run folder's config.toml says it better, and no pickle belongs beside a model
        (Path(output_dir or self.args.output_dir) / _PICKLED).unlink(missing_ok=True)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if self._sharded:
            super()._save_optimizer_and_scheduler(output_dir)
        elif self.args.should_save:
            states = [self.optimizer.state_dict(), self.lr_scheduler.state_dict()]
            save_state(Path(output_dir) / _STATE, states)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if self._sharded:
            super()._load_optimizer_and_scheduler(checkpoint)
        elif checkpoint is not None:
            optimizer, scheduler = load_state(Path(checkpoint) / _STATE)
            self.optimizer.load_state_dict(optimizer)
            self.lr_scheduler.load_state_dict(scheduler)

    def _save_scaler(self, output_dir: str) -> None:
        scaler = getattr(self.accelerator, "scaler", None)
        if scaler is not None and self.args.should_save:
            save_state(Path(output_dir) / _SCALER, scaler.state_dict())

    def _load_scaler(self, checkpoint: str | None) -> None:
        scaler = getattr(self.accelerator, "scaler", None)
        if scaler is not None and checkpoint is not None:
            scaler.load_state_dict(load_state(Path(checkpoint) / _SCALER))

    def _save_rng_state(self, output_dir: str) -> None:
        save_state(Path(output_dir) / f"{_CHANCE}-{self.args.process_index}", chance())

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        path = Path(checkpoint) / f"{_CHANCE}-{self.args.process_index}"
        if not path.with_suffix(".json").is_file():
            raise ConfigError(f"{checkpoint} was made by fewer processes: go on with as many")
        set_chance(load_state(path))
