"""One message, one turn: what was heard, what was chosen, what is said. Offline."""

from untwist import Engine


def main(quick: bool = False) -> None:
    """Print one turn per message; `quick` takes only the first."""
    messages = [
        "She walked past without a word. She must be angry with me.",
        "我又忘了带钥匙，我就是个没用的人",
    ]
    engine = Engine.default(region="GB")
    for message in messages[: 1 if quick else None]:
        turn = engine.turn(message)
        print(">", message)
        for finding in turn.assessment.findings:
            print(f"  {finding.distortion}: “{message[finding.start : finding.end]}”")
        print(f"  strategy: {turn.choice.strategy} ({turn.choice.grade})")
        print(turn.reply.text, "\n")


if __name__ == "__main__":
    main()
