"""Texts as vectors by a server that speaks OpenAI's embeddings interface (vLLM, Ollama, others).

A named door: it is opened by importing this module, and needs the extra "llm". Whatever goes wrong
is a `ModelError`; a text is never given a vector that no model made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from untwist.errors import ConfigError, MissingExtra, ModelError

BATCH = 64
"""Texts in one request, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class RemoteEncoder:
    """Vectors from a server; what is written leaves this machine.

    Attributes:
        model: as the server calls it, for example "Qwen/Qwen3-Embedding-0.6B".
        size: length of a vector; the server's answers are checked against it.
        base_url: of the server; None is OpenAI's own.
        api_key: None takes OPENAI_API_KEY from the environment.
        batch: texts in one request.
        timeout: seconds for one request.
        retries: of a request that failed for a reason that may pass.
        client: in place of the one that the rest describes.

    Raises:
        ConfigError: size or batch is below 1.
    """

    model: str
    size: int = 1024
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    batch: int = BATCH
    timeout: float = 60.0
    retries: int = 3
    client: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.size < 1 or self.batch < 1:
            raise ConfigError(f"size is {self.size}, batch {self.batch}: give at least 1 of each")

    @property
    def name(self) -> str:
        """The model and its size; a policy refuses any other than its own."""
        return f"remote-{self.model}-{self.size}@1"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, shape (len(texts), size).

        Raises:
            ModelError: the server failed, or its answer does not fit the texts.
            MissingExtra: the extra "llm" is not installed.
        """
        rows = np.empty((len(texts), self.size), np.float32)
        if not texts:
            return rows
        openai = _sdk()
        client = self.client or self._connect(openai)
        for at in range(0, len(texts), self.batch):
            part = list(texts[at : at + self.batch])
            rows[at : at + len(part)] = self._ask(openai, client, part)
        return rows

    def _connect(self, openai: Any) -> Any:  # noqa: ANN401
        try:
            return openai.OpenAI(
                base_url=self.base_url,
                api_key=self.api_key,
                timeout=self.timeout,
                max_retries=self.retries,
            )
        except openai.OpenAIError as error:
            raise ConfigError(f"no client for {self.model}: {error}") from error

    def _ask(self, openai: Any, client: Any, texts: list[str]) -> NDArray[np.float32]:  # noqa: ANN401
        try:
            answer = client.embeddings.create(
                model=self.model, input=texts, encoding_format="float"
            )
        except openai.OpenAIError as error:
            passing = isinstance(error, openai.APIConnectionError | openai.RateLimitError)
            # what the server says may repeat the text
            raise ModelError(
                f"{self.model} gave no embeddings ({type(error).__name__}): "
                "is the server running, and does it know this model?",
                retryable=passing,
            ) from error
        return self._read(answer, len(texts))

    def _read(self, answer: Any, n: int) -> NDArray[np.float32]:  # noqa: ANN401
        found = sorted(answer.data, key=lambda one: one.index)
        if [one.index for one in found] != list(range(n)):
            raise ModelError(f"{self.model} gave {len(found)} vectors for {n} texts")
        sizes = {len(one.embedding) for one in found}
        if sizes != {self.size}:
            raise ModelError(
                f"{self.model} gave vectors of size {sorted(sizes)}, not {self.size}: set size to "
                "what the model gives"
            )
        rows = np.array([one.embedding for one in found], np.float32)
        if not np.isfinite(rows).all():
            raise ModelError(f"{self.model} gave a vector with NaN or infinity")
        return rows


def _sdk() -> Any:  # noqa: ANN401
    try:
        return import_module("openai")
    except ImportError as error:
        raise MissingExtra("embeddings by a server", "llm") from error
