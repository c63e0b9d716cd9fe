"""Hearing: which distortions a message carries, where, how strong, and how much risk.

Purpose: detectors behind one socket; the fast one ships and trains in numpy.
Takes: Utterance (and the utterances before it).
Gives: Assessment, with a risk that is never below the safety screen's.
May import: artifacts, safety, schema, taxonomy, text, errors.
Heavy doors: none yet.
"""

from untwist.detect.fast import FastDetector
from untwist.detect.train import Example, FastConfig, fit

__all__ = ["Example", "FastConfig", "FastDetector", "fit"]
