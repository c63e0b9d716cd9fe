"""The fixed n-gram model that stands beside every trained detector: scikit-learn, nothing tuned.

TF-IDF of 1 to 4 characters (sublinear, in two texts or more), one logistic regression a label with
balanced classes and C = 2. The settings were chosen once among 28 by the sum of the validation
micro-F1 over D_s, D_r, D_t1 and D_t2 (published split); C = 1 and 2 were level. They are never
changed for a corpus.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from untwist.errors import DataError, MissingExtra

NAME = "ngrams@1"


class NgramModel:
    """Fit on texts with labels, then probabilities for other texts."""

    def __init__(self) -> None:
        """Nothing is learnt yet."""
        self._known: NDArray[np.intp] = np.empty(0, np.intp)
        self._constant: NDArray[np.float64] = np.empty(0)

    def fit(self, texts: Sequence[str], gold: NDArray[np.bool_]) -> NgramModel:
        """Learn one classifier for each label that occurs.

        Args:
            texts: at least two.
            gold: (n, labels).

        Raises:
            MissingExtra: scikit-learn is not installed.
            DataError: there is no text, no label that some texts have and others do not, or no
                character that two texts have.
        """
        try:
            from sklearn.feature_extraction.text import (  # type: ignore[import-untyped]
                TfidfVectorizer,
            )
            from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
        except ImportError as error:
            raise MissingExtra("the n-gram model", "eval") from error
        counts = gold.sum(axis=0)
        self._constant = (counts == len(gold)).astype(float)
        self._known = np.flatnonzero((counts > 0) & (counts < len(gold)))
        if not self._known.size:
            raise DataError("no label that some texts have and others have not: nothing to learn")
        self._vectors = TfidfVectorizer(
            analyzer="char", ngram_range=(1, 4), sublinear_tf=True, min_df=2, dtype=np.float32
        )
        try:
            features = self._vectors.fit_transform(texts)
        except ValueError as error:
            raise DataError("no two texts share a character: nothing to learn") from error
        self._heads = [
            LogisticRegression(C=2.0, class_weight="balanced", solver="liblinear").fit(
                features, gold[:, column]
            )
            for column in self._known
        ]
        return self

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Shape (len(texts), labels), 0 to 1.

        A label that no training text had is 0, one that all had is 1.
        """
        if not len(texts):
            return np.empty((0, len(self._constant)))
        features = self._vectors.transform(texts)
        values = np.tile(self._constant, (features.shape[0], 1))
        for column, head in zip(self._known, self._heads, strict=True):
            values[:, column] = head.predict_proba(features)[:, 1]
        return values
