"""Questions to language models, each beside the reader of its answer, in English and Chinese.

Purpose: one place that words every question, versioned, so that all rooms ask the same one.
Takes: messages, labels, strategies, personas.
Gives: chat messages, a JSON schema, and the typed value of an answer, or a ParseError.
May import: llm.structured, schema, taxonomy, text, errors.
Heavy doors: none.
"""

from untwist.llm.prompts.annotate import Annotate, Annotation, Reasoned
from untwist.llm.prompts.ask import ask
from untwist.llm.prompts.base import Messages, Prompt
from untwist.llm.prompts.cbt_answer import CBT_PARTS, AnswerInParts, CbtAnswer, Question
from untwist.llm.prompts.chain import Because, Chain, ReasoningChain
from untwist.llm.prompts.challenge import Challenge, Challenged, Worksheet
from untwist.llm.prompts.detect import Detect, Heard, Quoted, heard_of
from untwist.llm.prompts.event import Event, Seed, TriggeringEvent, emotions
from untwist.llm.prompts.judge import RUBRICS, Exchange, Judge, Judgement, Rubric, Score
from untwist.llm.prompts.labels import distortions_of, label_for, labels_for, labels_of
from untwist.llm.prompts.names import Named, Names
from untwist.llm.prompts.prefer import Better, Compared, Prefer, Preference
from untwist.llm.prompts.quotes import locate
from untwist.llm.prompts.reply import Draft, StrategyReply
from untwist.llm.prompts.seeker import LEAVES, Person, Said, Seeker
from untwist.llm.prompts.sift import Sift, Sifted
from untwist.llm.prompts.turn import NextTurn, TurnAsked

__all__ = [
    "CBT_PARTS",
    "LEAVES",
    "RUBRICS",
    "Annotate",
    "Annotation",
    "AnswerInParts",
    "Because",
    "Better",
    "CbtAnswer",
    "Chain",
    "Challenge",
    "Challenged",
    "Compared",
    "Detect",
    "Draft",
    "Event",
    "Exchange",
    "Heard",
    "Judge",
    "Judgement",
    "Messages",
    "Named",
    "Names",
    "NextTurn",
    "Person",
    "Prefer",
    "Preference",
    "Prompt",
    "Question",
    "Quoted",
    "Reasoned",
    "ReasoningChain",
    "Rubric",
    "Said",
    "Score",
    "Seed",
    "Seeker",
    "Sift",
    "Sifted",
    "StrategyReply",
    "TriggeringEvent",
    "TurnAsked",
    "Worksheet",
    "ask",
    "distortions_of",
    "emotions",
    "heard_of",
    "label_for",
    "labels_for",
    "labels_of",
    "locate",
]
