"""One of several processes that train together; started by tests/tune/test_processes.py.

Arguments: folder, samples at once on this process, micro-batches to a step. The first process
writes what came of it.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.tune.runs import encoded, losses_of, trained, weights_of

STEP, SAMPLES, HELD_OUT = 8, 27, 5


def run(folder, batch, accumulation, model=None):
    """Two epochs of a number of samples that no step divides."""
    trainer = trained(
        folder,
        encoded(SAMPLES),
        evaluation=encoded(HELD_OUT),
        model=model,
        per_device_train_batch_size=batch,
        per_device_eval_batch_size=2,
        gradient_accumulation_steps=accumulation,
        # a rate at which rounding is not blown up from step to step
        learning_rate=0.02,
        max_steps=-1,
        num_train_epochs=2,
        save_strategy="steps",
        save_steps=4,
    )
    found = trainer.evaluate()
    told = {key: found[key] for key in ("eval_loss", "eval_loss_diagnosis")}
    keys = ("loss", "loss_diagnosis", "loss_intervention")
    return trainer, told | {key: losses_of(trainer, key) for key in keys}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    trainer, told = run(folder, int(sys.argv[2]), int(sys.argv[3]))
    if trainer.args.process_index == 0:
        told["processes"] = trainer.accelerator.num_processes
        (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")
        np.save(folder / "weights.npy", weights_of(trainer.model).numpy())
