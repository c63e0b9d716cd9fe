"""A fine-tuned encoder as a detector: a folder of transformers with our heads beside it.

Heavy: importing this module needs PyTorch and the extra "finetune". The same folder runs without
either once it is exported (`untwist.detect.onnx`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from untwist.detect.encoder import Network, TorchScore, load_body, place_of, without_bars
from untwist.detect.folder import (
    ENCODER,
    decisions_from_json,
    decisions_to_json,
    read_about,
    write_about,
)
from untwist.detect.scored import ScoredDetector
from untwist.detect.tokens import FILE as TOKENIZER
from untwist.detect.tokens import Tokens
from untwist.errors import ArtifactError, MissingExtra

try:
    import safetensors.torch
    import transformers
    from safetensors import SafetensorError
except ImportError as error:
    raise MissingExtra("a fine-tuned detector", "finetune") from error

HEADS, BODY = "heads.safetensors", "model.safetensors"


@dataclass(frozen=True, slots=True)
class FinetunedDetector(ScoredDetector):
    """A detector by a network of this process.

    Attributes:
        tokenizer: of transformers; saved with the model so that others can use it too.
    """

    tokenizer: transformers.PreTrainedTokenizerBase = field(kw_only=True)

    @property
    def network(self) -> Network:
        """The network itself."""
        assert isinstance(self.score, TorchScore)
        network: Network = self.score.network
        return network

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> FinetunedDetector:
        """Read a model folder.

        Args:
            folder: that `save` wrote.
            device: "cpu", "cuda" and so on; "auto" takes a GPU where there is one.

        Raises:
            ArtifactError: it cannot be used; the message says why.
            ConfigError: there is no such device.
        """
        about = read_about(folder, ENCODER)
        decisions = decisions_from_json(about, folder)
        try:
            body = load_body(folder, local_files_only=True)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            heads = safetensors.torch.load_file(folder / HEADS)
            network = Network(
                body, len(decisions.heads), decisions.outputs.count, about["pooling"], 0.0
            )
            network.heads.load_state_dict(heads)
            tokens = Tokens.load(folder, int(about["max_length"]), int(about["pad"]))
        except KeyError as error:
            raise ArtifactError(f"{folder} lacks {error}: copy the folder again") from error
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise ArtifactError(f"{folder} cannot be loaded ({type(error).__name__})") from error
        network.to(place_of(device)).eval()
        name = str(about["name"])
        return cls(name, decisions, tokens, TorchScore(network), about, tokenizer=tokenizer)

    def save(self, folder: Path, card: str) -> None:
        """Write a model folder: the files of transformers, our heads, untwist.json and the card.

        Args:
            folder: made when missing; an older model in it is replaced.
            card: the text of README.md: what it is, how it was made, what it cannot do.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with without_bars():
            self.network.body.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        heads = {
            k: v.detach().cpu().contiguous() for k, v in self.network.heads.state_dict().items()
        }
        safetensors.torch.save_file(heads, folder / HEADS)
        write_about(folder, ENCODER, self._values(), (BODY, "config.json", HEADS, TOKENIZER), card)

    def _values(self) -> dict[str, Any]:
        own = {
            "name": self.name,
            "pooling": self.network.pooling,
            "max_length": self.tokens.longest,
            "pad": self.tokens.pad,
        }
        return {**self.about, **decisions_to_json(self.decisions), **own}
