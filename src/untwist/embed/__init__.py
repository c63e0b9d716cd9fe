"""Reading texts as numbers: n-grams and vectors.

Purpose: what detectors and policies learn from; numpy.
Takes: normalised texts.
Gives: the n-grams of a batch of texts, each with its place; a vector for each text.
May import: schema, taxonomy, text, errors.
Heavy doors: embed.remote (openai, the extra "llm"), embed.transformer (the extra "sentence").
"""

from untwist.embed.ngrams import BITS, DENSE, KINDS, Batch, Grams, Space, extract
from untwist.embed.static import StaticEncoder

__all__ = ["BITS", "DENSE", "KINDS", "Batch", "Grams", "Space", "StaticEncoder", "extract"]
