"""A run that a test starts on an engine: a job that can be sent, and the rows."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Halving:
    """Halves a number; every thirteenth item comes too late."""

    late: int = 13

    def open(self):
        from untwist.errors import ModelError
        from untwist.generate import Result

        async def work(item):
            n = item.value["n"]
            if n % self.late == 7:
                raise ModelError("late", reason="timeout")
            return Result({"id": item.id, "half": n / 2}, {"cost": 0.5})

        return work


def main(engine, folder):
    from untwist.generate import Item, Journal, run, write_rows

    place = Path(folder)
    items = (Item(f"i{k}", {"n": k}) for k in range(40))
    with Journal(place / "run.journal") as journal:
        summary = run(items, Halving(), journal, concurrency=8, engine=engine, workers=2)
        write_rows(place / "out.jsonl", (entry.value for entry in journal.entries("done")))
    sys.stderr.write(summary.line() + "\n")
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    import ray_run

    ray_run.main(*sys.argv[1:])
