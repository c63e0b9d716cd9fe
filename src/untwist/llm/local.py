"""A model of transformers in this process, one question after the other.

A named door: it is opened by importing this module, and needs PyTorch and the extra "finetune".
For many questions a server (vLLM) is the quicker way. Nothing is downloaded unless told.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from untwist.errors import MissingExtra, ModelError
from untwist.llm.calls import Answer, Model, Request, Usage, must_be_whole
from untwist.llm.structured import in_words, parsed, spoken

MOST = 512
"""Tokens of an answer when the request sets no maximum."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What transformers loaded.

    Attributes:
        tokenizer: of the model.
        model: for causal language modelling.
    """

    tokenizer: Any
    model: Any


class LocalModel(Model):
    """A causal language model.

    Args:
        path: folder, or a name of the hub that was downloaded before.
        device: "cpu", "cuda" and so on; None takes what there is.
        download: whether a model that is not here may be fetched.
        loaded: tokenizer and model, in place of loading them.

    Raises:
        MissingExtra: PyTorch or transformers is not installed.
        ModelError: the model cannot be loaded.
    """

    def __init__(
        self,
        path: str,
        *,
        device: str | None = None,
        download: bool = False,
        loaded: Loaded | None = None,
    ) -> None:
        self._name = f"local-{Path(path).name}"
        self._identity = f"local {_whole(path)}"
        self._torch = _heavy("torch")
        self._loaded = loaded or _load(path, device, download)
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._name

    @property
    def identity(self) -> str:
        """The whole path, and the sizes and times of the files there."""
        return self._identity

    async def acomplete(self, request: Request) -> Answer:
        """The answer; without a temperature, or with 0, the likeliest token each time.

        Raises:
            ModelError: the model failed, said nothing, or broke the schema.
        """
        return await asyncio.to_thread(self._answer, request)

    def _answer(self, request: Request) -> Answer:
        started = time.monotonic()
        messages = request.messages
        if request.schema is not None:
            messages = in_words(messages, request.schema)
        with self._lock:
            text, usage, finish = self._generated(messages, request)
        kept = _before(text, request.stop)
        finish = finish if kept == text else "stop"
        text = spoken(kept)
        if not text:
            raise ModelError(f"{self._name} said nothing", reason="empty")
        must_be_whole(finish, request)
        if request.schema is not None:
            text = json.dumps(parsed(text, request.schema), ensure_ascii=False)
        return Answer(text, self._name, finish, usage, time.monotonic() - started)

    def _generated(
        self, messages: Sequence[Mapping[str, Any]], request: Request
    ) -> tuple[str, Usage, str]:
        tokenizer, model = self._loaded.tokenizer, self._loaded.model
        most = request.max_tokens or MOST
        options: dict[str, Any] = {"max_new_tokens": most, "do_sample": False}
        if request.temperature:
            options |= {"do_sample": True, "temperature": request.temperature}
        if tokenizer.pad_token_id is None:
            options["pad_token_id"] = tokenizer.eos_token_id
        try:
            # a chat template writes the beginning of a text itself, and one is enough
            inputs = tokenizer(
                _prompt(tokenizer, messages),
                return_tensors="pt",
                add_special_tokens=not tokenizer.chat_template,
            ).to(model.device)
            inputs.pop("token_type_ids", None)
            # the caller's generator is left as it was
            with self._torch.random.fork_rng(), self._torch.inference_mode():
                if request.seed is not None:
                    self._torch.manual_seed(request.seed)
                out = model.generate(**inputs, **options, **request.extra)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            # what the library says may repeat the text
            raise ModelError(f"{self._name} failed ({type(error).__name__})") from error
        asked = inputs["input_ids"].shape[1]
        said = out[0][asked:]
        finish = "length" if len(said) >= most else "stop"
        text = tokenizer.decode(said, skip_special_tokens=True)
        return text, Usage(asked, len(said)), finish


def _whole(path: str) -> str:
    folder = Path(path)
    if not folder.is_dir():
        return path
    files = sorted(file for file in folder.iterdir() if file.is_file())
    # what is trained anew into the same folder is another model
    seen = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{folder.resolve()} {seen}"


def _prompt(tokenizer: Any, messages: Sequence[Mapping[str, Any]]) -> str:  # noqa: ANN401
    """The messages by the model's own template, else one after the other with their roles."""
    if tokenizer.chat_template:
        found: str = tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=True
        )
        return found
    lines = [f"{m.get('role', 'user')}: {m.get('content', '')}" for m in messages]
    return "\n".join([*lines, "assistant:"])


def _before(text: str, stops: Sequence[str]) -> str:
    ends = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text


def _load(path: str, device: str | None, download: bool) -> Loaded:
    transformers = _heavy("transformers")
    options: dict[str, Any] = {"local_files_only": not download}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, **options)
        model = transformers.AutoModelForCausalLM.from_pretrained(path, **options).eval()
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path} cannot be loaded ({type(error).__name__}): is it here?"
        ) from error
    return Loaded(tokenizer, model.to(device) if device else model)


def _heavy(module: str) -> Any:  # noqa: ANN401
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra("a model in this process", "finetune") from error
