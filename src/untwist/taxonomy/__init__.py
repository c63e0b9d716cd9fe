"""The words: what a distortion, an intensity, a risk and a strategy is.

Purpose: one place that spells every label, in English and Chinese, versioned.
Takes: nothing.
Gives: enums, taxonomies, crosswalk and the gold/silver matrix.
May import: errors.
Heavy doors: none.
"""

from untwist.taxonomy.crosswalk import Taxonomy, parse, parse_all, taxonomies, taxonomy
from untwist.taxonomy.distortions import CANONICAL, CORPUS_ONLY, Distortion
from untwist.taxonomy.matrix import Row, matrix, row
from untwist.taxonomy.severity import Acuity, Intensity, Risk
from untwist.taxonomy.strategies import Strategy
from untwist.taxonomy.words import LANGS, Lang

__all__ = [
    "CANONICAL",
    "CORPUS_ONLY",
    "LANGS",
    "Acuity",
    "Distortion",
    "Intensity",
    "Lang",
    "Risk",
    "Row",
    "Strategy",
    "Taxonomy",
    "matrix",
    "parse",
    "parse_all",
    "row",
    "taxonomies",
    "taxonomy",
]
