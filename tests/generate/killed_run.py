"""A run that a test ends from outside: two calls an item, a journal, a cache, and the rows."""

import signal
import sys
from pathlib import Path

from untwist.generate import Item, Journal, Result, run, write_rows
from untwist.llm import Cache, CachedModel, HttpModel, Request


def main(url, folder, n):
    place = Path(folder)
    items = (Item(f"i{k:04}", {"n": k}) for k in range(int(n)))
    with (
        Cache(place / "cache.sqlite") as cache,
        Journal(place / "run.journal", {"n": n}) as journal,
    ):
        model = CachedModel(HttpModel("m", url), cache)

        async def work(item):
            said = []
            for part in ("first", "second"):
                asked = {"role": "user", "content": f"{item.id} {part}"}
                said.append((await model.acomplete(Request((asked,), prompt="x@1"))).text)
            return Result({"id": item.id, "said": said}, {"prompt": "x@1"})

        summary = run(items, work, journal, concurrency=8)
        write_rows(place / "out.jsonl", (entry.value for entry in journal.entries("done")))
    sys.exit(0 if summary.ok else 1)


if __name__ == "__main__":
    # whoever starts tests in the background may have told its children to ignore interrupts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main(*sys.argv[1:])
