"""Work without a model, for the runner."""

import asyncio

from untwist.generate import Item, Result


def items(n):
    return [Item(f"i{k}", {"n": k}) for k in range(n)]


class Doubling:
    """Doubles a number; raises what `fails` says; keeps who came and how many at once."""

    def __init__(self, fails=None, rounds=0):
        self.fails, self.rounds = dict(fails or {}), rounds
        self.seen, self.at_once, self.most = [], 0, 0

    async def __call__(self, item):
        self.seen.append(item.id)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        for _ in range(self.rounds):
            await asyncio.sleep(0)
        self.at_once -= 1
        if item.id in self.fails:
            raise self.fails[item.id]
        return Result({"id": item.id, "twice": 2 * item.value["n"]}, {"cost": 0.5, "model": "m"})
