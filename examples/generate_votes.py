"""Three voters label two messages, and most of them decide. Offline: the voters are scripts."""

import json
import tempfile
from pathlib import Path

from untwist.llm import Request, ScriptedModel
from untwist.recipes.generate_annotate import GenerateAnnotate, run
from untwist.recipes.generate_settings import Given
from untwist.taxonomy import Distortion

MESSAGES = ("He did not wave back, so he hates me.", "We planted beans today.")


def voter(name: str, *labels: Distortion) -> ScriptedModel:
    """A model that hears these labels in the words "he hates me", and nothing elsewhere."""

    def answer(request: Request) -> str:
        heard = labels if "he hates me" in request.messages[-1]["content"] else ()
        findings = [{"quote": "he hates me", "why": "A guess.", "label": one} for one in heard]
        level = "moderate" if heard else None
        told = {"findings": findings, "rationale": "What the words show.", "intensity": level}
        return json.dumps(told | {"risk": "none"})

    return ScriptedModel(answer, name)


def main(quick: bool = False) -> None:
    """Print the rows and what is open; `quick` labels only the first message."""
    messages = MESSAGES[: 1 if quick else None]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "messages.jsonl"
        rows = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(messages)]
        source.write_text("\n".join(rows), encoding="utf-8")
        config = GenerateAnnotate(out=f"{folder}/run", sources=(str(source),))
        mind, label = Distortion.MIND_READING, Distortion.LABELING
        models = (voter("a@1", mind), voter("b@1", mind, label), voter("c@1", mind))
        done = run(config, Given(models))
        print(done.line)
        for line in (done.folder / "items.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            print(row["labels"], row["provenance"]["model"])


if __name__ == "__main__":
    main()
