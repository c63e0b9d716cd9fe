"""Proves that the base install does its work without any extra; run outside the source tree."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

UNTWIST = sys.argv[1]
ABSENT = ("torch", "sklearn", "scipy", "matplotlib", "openai", "opencc", "pytest", "fastapi")


def run(*arguments: str, stdin: str | None = None) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        [UNTWIST, *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"untwist {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def fails(*arguments: str) -> str:
    """The line that a command prints when it cannot do its work."""
    done = subprocess.run([UNTWIST, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1, f"untwist {' '.join(arguments)} ended with {done.returncode}"
    return done.stderr


def main() -> None:
    """Every command once."""
    found = [name for name in ABSENT if importlib.util.find_spec(name)]
    assert found == [], f"the core install brought {found}"
    assert "magnification" in run("detect", "I failed one exam and it's the end of the world")
    assert json.loads(run("screen", "I want to die"))["level"] == "high"
    assert run("reply", "我什么都做不好").strip()
    assert json.loads(run("check", "--context", "low", "That sounds hard."))["verdict"] == "pass"
    assert "不是真人" in run("chat", stdin="I ruined it\n/why\n/quit\n")
    assert "FAIL" not in run("doctor")
    assert "findahelpline.com" in run("protocol")
    run("chat", "--counters", "referrals.json", stdin="I want to die\n/quit\n")
    assert "2" in run("referrals", "referrals.json", "--smallest", "1")
    Path("page.md").write_text("It makes no diagnosis.\n", encoding="utf-8")
    assert run("check", "--claims", "page.md") == ""
    rows = [
        {"id": i, "text": f"{noun} was late, {thought}", "labels": labels, "group": noun}
        for i, (noun, thought, labels) in enumerate(
            (noun, *pair)
            for noun in ("tea", "bus", "bike", "talk", "shop", "film")
            for pair in (("I am a total loser", ["labeling"]), ("so I waited", []))
        )
    ]
    Path("texts.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    config = 'name = "mine"\nout = "run"\ncorpora = ["texts.jsonl"]\n'
    Path("c.toml").write_text(config, encoding="utf-8")
    run("train", "detector", "c.toml", "--quick")
    assert "socialcd" in run("data", "list")
    assert "17,279 rows, 0 refused" in run("data", "check", "open")
    run("data", "split", "texts.jsonl", "--out", "parts.jsonl")
    run("data", "convert", "texts.jsonl", "--to", "alpaca", "--out", "tune")
    assert Path("tune/dataset_info.json").exists()
    assert 'pip install "untwist[eval]"' in fails("evaluate", "detector", "--out", "scores")
    sys.stdout.write("the core install does its work\n")


if __name__ == "__main__":
    main()
