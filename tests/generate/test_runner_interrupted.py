"""An interrupt ends a run at once and keeps what was finished."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.misbehaving import Misbehaving

pytestmark = [pytest.mark.loopback, pytest.mark.skipif(os.name != "posix", reason="no SIGINT")]
SCRIPT = Path(__file__).with_name("killed_run.py")


def test_an_interrupt_keeps_what_was_finished_and_the_run_goes_on(tmp_path):
    victim = None

    def behave(body, n):
        if n == 40:
            victim.send_signal(signal.SIGINT)
        # whoever is not interrupted waits for ever
        return "silent" if interrupting and n >= 40 else "ok"

    interrupting = True
    with Misbehaving(behave) as server:
        command = [sys.executable, str(SCRIPT), server.url, str(tmp_path), "30"]
        victim = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        _, err = victim.communicate(timeout=120)
        assert victim.returncode != 0
        assert "KeyboardInterrupt" in err
        assert "never retrieved" not in err
        with closing(sqlite3.connect(tmp_path / "run.journal")) as file:
            ((kept,),) = file.execute("SELECT COUNT(*) FROM entry")
        with closing(sqlite3.connect(tmp_path / "cache.sqlite")) as file:
            ((answers,),) = file.execute("SELECT COUNT(*) FROM answer")
        interrupting = False
        before = len(server.bodies)
        assert subprocess.run(command, check=False).returncode == 0
        assert len(server.bodies) - before == 60 - answers
    # of those that were answered a few may have been on their way
    assert 32 <= answers <= 40
    assert (answers - 8) // 2 <= kept <= answers // 2
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 30
