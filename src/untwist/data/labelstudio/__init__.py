"""Pages on which people label, choose and judge in Label Studio, and what comes back from them.

Purpose: ask people the same questions as models, and read their answers without loss.
Takes: dialogues, pairs of reasoning chains, triples; exports of Label Studio.
Gives: the XML of a page, tasks, each annotator's answers; rounds of annotation as folders.
May import: the data room, schema, taxonomy, errors.
Heavy doors: none; `Server` calls over HTTP when it is told to.
"""

from untwist.data.labelstudio.chains import ChainAnswer, ChainItem, read_chains
from untwist.data.labelstudio.chains import task as chain_task
from untwist.data.labelstudio.rewards import TripleAnswer, triple_in, triple_row
from untwist.data.labelstudio.rewards import task as triple_task
from untwist.data.labelstudio.rounds import (
    ANSWERS,
    PAGES,
    TASKS,
    Answer,
    Page,
    Round,
    Said,
    answer_of,
    collect,
    config,
    item_of,
    page_of,
    read_exports,
    read_round,
    result_of,
    write_round,
    write_tasks,
)
from untwist.data.labelstudio.server import Server
from untwist.data.labelstudio.turns import TurnAnswer, dialogues_of
from untwist.data.labelstudio.turns import tasks as turn_tasks

__all__ = [
    "ANSWERS",
    "PAGES",
    "TASKS",
    "Answer",
    "ChainAnswer",
    "ChainItem",
    "Page",
    "Round",
    "Said",
    "Server",
    "TripleAnswer",
    "TurnAnswer",
    "answer_of",
    "chain_task",
    "collect",
    "config",
    "dialogues_of",
    "item_of",
    "page_of",
    "read_chains",
    "read_exports",
    "read_round",
    "result_of",
    "triple_in",
    "triple_row",
    "triple_task",
    "turn_tasks",
    "write_round",
    "write_tasks",
]
