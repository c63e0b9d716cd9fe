"""Says what is wrong in files of protocols: `python tests/respond/check_protocols.py FILE...`.

A file named frame.json is read as the frame, branches.json as the branches, any other as the
protocol of a strategy. Every fault is listed, not only the first.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from untwist.errors import UntwistError
from untwist.respond import protocol
from untwist.respond.page import page


def faults(path: Path) -> Iterator[str]:
    """What is wrong in one file."""
    try:
        if path.stem == "branches":
            yield from _branches(path)
            protocol.read_branches(path)
        else:
            for node in page(path).at("steps").items():
                try:
                    protocol._step(node)
                except UntwistError as error:
                    yield str(error)
            protocol.read_protocol(path)
    except UntwistError as error:
        yield str(error)


def _branches(path: Path) -> Iterator[str]:
    texts = page(path).at("texts")
    for name in (*protocol.WHOLE, *protocol.LEADS, *protocol.ENDS):
        try:
            found = protocol._variants(texts.at(name), {"thought", "new", "sum", "rest"}, 8)
            protocol._questions(texts.at(name), found, 0, 1 if name in protocol.WHOLE else 0)
        except UntwistError as error:
            yield str(error)


def main() -> int:
    """Lists the faults of the files named on the command line; 1 when there are any."""
    found = [fault for name in sys.argv[1:] for fault in dict.fromkeys(faults(Path(name)))]
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
