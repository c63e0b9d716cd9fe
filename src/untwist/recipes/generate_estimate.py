"""What a run of generated data will ask and cost, without asking."""

from __future__ import annotations

from dataclasses import dataclass

from untwist.llm import Prices, Usage
from untwist.recipes.generate_settings import Config, Models, Stages


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a stage will ask, without asking.

    Attributes:
        stage: its name.
        items: how many; of a stage after another at most so many.
        questions: how many, when every answer can be read at once.
        prompt_tokens: of all questions, guessed from their letters.
        completion_tokens: of all answers at most, by the limit of one.
        cost: at most; None without prices.
    """

    stage: str
    items: int
    questions: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


def estimate(
    config: Config, stages: Stages, models: Models, prices: Prices | None = None
) -> list[Estimate]:
    """What every stage of a run will ask; nothing is asked and nothing written.

    A token is taken to be four Latin letters, or one Chinese character.

    Args:
        config: of the recipe.
        stages: the items by stage.
        models: who would be asked.
        prices: per million tokens.
    """
    found = []
    longest = config.sampling.max_tokens or 0
    for name, items in stages.items():
        work = config.pipeline(name, models.open())
        count = asked = tokens = 0
        for item in items():
            count += 1
            for question in work.questions(item.value):
                asked += 1
                tokens += sum(_tokens(str(one["content"])) for one in question.messages)
        usage = Usage(tokens, asked * longest)
        cost = prices.of(usage) if prices else None
        found.append(Estimate(name, count, asked, tokens, usage.completion, cost))
    return found


def _tokens(text: str) -> int:
    wide = sum(ord(letter) > 0x2E7F for letter in text)
    return wide + (len(text) - wide + 3) // 4
