"""Wherever rows are read, the answers are the same, in the same order, and nothing is left over."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from multiprocessing import active_children
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.fakes import FakeDetector
from untwist.cli import detect
from untwist.cli.workers import IN_FLIGHT, Here, OnRay, Pool, cores, executor
from untwist.errors import ConfigError, DataError, ParseError, UntwistError
from untwist.taxonomy import Distortion

WORKERS = 2
_SLOW = pytest.mark.slow


@dataclass(frozen=True)
class Doubling:
    """Doubles whole numbers; fails on one; writes down each process that opened it."""

    fails_on: int | None = None
    opened_in: str | None = None
    cannot_open: bool = False

    def open(self):
        if self.cannot_open:
            raise ConfigError("no such thing")
        if self.opened_in:
            with Path(self.opened_in).open("a", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
        return self._double

    def _double(self, number):
        if number == self.fails_on:
            # its arguments are such that a copy cannot be sent to another process
            raise ParseError("no answer", raw="x")
        return 2 * number


@dataclass(frozen=True)
class Telling:
    """Tells what a worker inherits, or dies."""

    dies: bool = False

    def open(self):
        return lambda name: os._exit(3) if self.dies else os.environ.get(name)


class FakeRay(ModuleType):
    """As much of Ray as is used, in this process; keeps what it was told."""

    def __init__(self):
        super().__init__("ray")
        self.running, self.unreachable = False, None
        self.inits, self.cancelled, self.stops, self.at_start = [], [], 0, {}
        errors = {"RayError": type("RayError", (Exception,), {})}
        errors["RayTaskError"] = type("RayTaskError", (errors["RayError"],), {})
        self.exceptions = SimpleNamespace(**errors)
        self.lost = None

    def is_initialized(self):
        return self.running

    def init(self, *arguments, **options):
        self.inits.append((arguments, options))
        self.at_start = dict(os.environ)
        if self.unreachable:
            raise getattr(self.exceptions, self.unreachable, ConnectionError)("127.0.0.1:1")
        self.running = True

    def shutdown(self):
        self.running = False
        self.stops += 1

    def cluster_resources(self):
        return {"CPU": float(WORKERS)}

    def remote(self, function):
        return SimpleNamespace(remote=lambda *arguments: (function, arguments))

    def get(self, pending):
        if self.lost:
            raise getattr(self.exceptions, self.lost)("x")
        function, arguments = pending
        return function(*arguments)

    def cancel(self, pending):
        self.cancelled.append(pending)


@pytest.fixture
def fake_ray(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    return fake


@pytest.fixture(params=["here", "ray", pytest.param("pool", marks=_SLOW)])
def runner(request, fake_ray):
    """An executor of a job."""

    def _runner(job):
        if request.param == "here":
            return Here(job.open())
        return {"pool": Pool, "ray": OnRay}[request.param](job, WORKERS)

    return _runner


def test_answers_come_in_the_order_of_the_chunks(runner):
    assert list(runner(Doubling()).map(range(40))) == [2 * n for n in range(40)]


def test_no_chunks_give_no_answers(runner):
    assert list(runner(Doubling()).map([])) == []


def test_an_endless_stream_is_read_only_as_far_as_its_answers_are_taken(runner):
    taken = count()
    answers = runner(Doubling()).map(next(taken) for _ in count())
    for answered in range(1, 20):
        next(answers)
        assert next(taken) - (answered - 1) <= answered + IN_FLIGHT * WORKERS
    answers.close()


def test_a_chunk_that_fails_is_told_after_the_answers_before_it(runner):
    answers = runner(Doubling(fails_on=7)).map(range(40))
    assert [next(answers) for _ in range(7)] == [2 * n for n in range(7)]
    with pytest.raises(UntwistError, match="no answer"):
        next(answers)
    assert list(answers) == []


def test_chunks_that_cannot_be_read_further_are_told_after_all_answers(runner):
    def broken():
        yield from range(7)
        raise DataError("in.jsonl:8: not JSON")

    answers = runner(Doubling()).map(broken())
    assert [next(answers) for _ in range(7)] == [2 * n for n in range(7)]
    with pytest.raises(DataError, match=r"in\.jsonl:8"):
        next(answers)


def test_a_job_is_opened_once_in_each_process(runner, tmp_path):
    file = tmp_path / "opened"
    list(runner(Doubling(opened_in=str(file))).map(range(40)))
    processes = file.read_text(encoding="utf-8").split()
    assert len(processes) == len(set(processes)) <= WORKERS


def test_nothing_is_left_when_the_answers_are_no_longer_wanted(runner, fake_ray):
    answers = runner(Doubling()).map(count())
    next(answers)
    answers.close()
    assert active_children() == []
    assert not fake_ray.running
    if fake_ray.inits:
        assert len(fake_ray.cancelled) == IN_FLIGHT * WORKERS - 1


@pytest.mark.parametrize(("workers", "engine"), [(1, "local"), (2, "local"), (2, "ray")])
def test_a_job_that_cannot_be_opened_is_told_before_anything_starts(fake_ray, workers, engine):
    with pytest.raises(ConfigError, match="no such thing"):
        executor(Doubling(cannot_open=True), workers, engine)
    assert fake_ray.inits == []


def test_no_number_of_workers_means_every_core(monkeypatch):
    assert executor(Doubling(), 3) == Pool(Doubling(), 3)
    monkeypatch.setattr("untwist.cli.workers.cores", lambda: 5)
    assert executor(Doubling(), 0) == Pool(Doubling(), 5)
    monkeypatch.setattr("untwist.cli.workers.cores", lambda: 1)
    assert isinstance(executor(Doubling(), 0), Here)


def test_a_ray_of_ones_own_is_local_has_so_many_processors_reports_nothing_and_ends(fake_ray):
    list(OnRay(Doubling(), 3).map(range(3)))
    ((arguments, options),) = fake_ray.inits
    assert arguments == ("local",)
    assert options["num_cpus"] == 3
    assert not options["log_to_driver"]
    assert not options["include_dashboard"]
    assert fake_ray.at_start["RAY_USAGE_STATS_ENABLED"] == "0"
    assert fake_ray.at_start["OMP_NUM_THREADS"] == "1"
    assert "RAY_USAGE_STATS_ENABLED" not in os.environ
    assert fake_ray.stops == 1
    list(OnRay(Doubling(), 0).map(range(3)))
    assert fake_ray.inits[1][1]["num_cpus"] == cores()


def test_a_ray_that_runs_already_is_used_and_left_running(fake_ray):
    fake_ray.running = True
    assert list(OnRay(Doubling(), 0).map(range(9))) == [2 * n for n in range(9)]
    assert fake_ray.running
    assert fake_ray.inits == []


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("10.0.0.9:6379", ("10.0.0.9", 6379)),
        ("ray://head.example:10001", ("head.example", 10001)),
        ("[::1]:6379", ("::1", 6379)),
        ("auto", None),
    ],
)
def test_a_cluster_that_is_named_is_asked_whether_it_is_there_and_joined(
    fake_ray, monkeypatch, address, asked
):
    knocks = []

    def connect(place, timeout):
        knocks.append(place)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr("untwist.cluster.create_connection", connect)
    monkeypatch.setenv("RAY_ADDRESS", address)
    list(OnRay(Doubling(), 2).map(range(3)))
    ((arguments, options),) = fake_ray.inits
    assert arguments == ()
    assert "num_cpus" not in options
    assert knocks == ([asked] if asked else [])


def test_a_cluster_that_is_not_there_is_one_clear_error_and_ray_is_not_asked(fake_ray, monkeypatch):
    def refuse(place, timeout):
        raise ConnectionRefusedError

    monkeypatch.setattr("untwist.cluster.create_connection", refuse)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(ConfigError, match="RAY_ADDRESS"):
        list(OnRay(Doubling(), 2).map(range(3)))
    assert fake_ray.inits == []


@pytest.mark.parametrize("error", ["ConnectionError", "RayError"])
def test_a_ray_that_cannot_connect_is_one_clear_error(fake_ray, error):
    fake_ray.unreachable = error
    with pytest.raises(ConfigError, match="RAY_ADDRESS"):
        list(OnRay(Doubling(), 2).map(range(3)))


def test_a_host_that_goes_away_is_told_and_a_fault_of_the_program_stays_what_it_is(fake_ray):
    fake_ray.lost = "RayError"
    with pytest.raises(UntwistError, match="fewer --workers"):
        list(OnRay(Doubling(), 2).map(range(3)))
    assert not fake_ray.running
    fake_ray.lost = "RayTaskError"
    with pytest.raises(fake_ray.exceptions.RayTaskError):
        list(OnRay(Doubling(), 2).map(range(3)))
    assert not fake_ray.running


@pytest.mark.slow
def test_workers_have_one_numeric_thread_and_this_process_keeps_its_settings(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    assert list(Pool(Telling(), WORKERS).map(names)) == ["1", "1"]
    assert [os.environ.get(name) for name in names] == ["7", None]


@pytest.mark.slow
def test_a_worker_that_dies_is_told_and_leaves_no_other_behind():
    with pytest.raises(UntwistError, match="fewer --workers"):
        list(Pool(Telling(dies=True), WORKERS).map(["x"] * 9))
    assert active_children() == []


# the command


def _file(folder, rows=40, bad=()):
    """Rows with and without a history, in two languages; unreadable where told."""
    texts = ("If it rains, the whole day is ruined", "我什么都做不好", "I had soup", "yes")
    said = [{"role": "assistant", "content": "Are you thinking about ending your life?"}]
    lines = [
        {"id": f"r{n}", "text": texts[n % 4], "history": said if n % 8 == 3 else []}
        for n in range(rows)
    ]
    for n in bad:
        lines[n]["text"] = ""
    file = folder / "in.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def _outcome(run, file, *options):
    target = file.with_name("out.jsonl")
    shown = run("detect", "--input", file, "--output", target, *options)
    return shown.code, shown.err, target.read_bytes()


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(detect, "_CHUNK", 3)


ENGINES = [("--engine", "ray"), pytest.param(("--workers", "2"), marks=_SLOW)]


@pytest.mark.parametrize("options", ENGINES)
@pytest.mark.parametrize("more", [(), ("--keep-going",), ("--taxonomy", "beck-8", "--merge")])
@pytest.mark.parametrize("bad", [(), (0,), (17, 18, 39)])
def test_every_engine_writes_the_same_bytes_and_ends_the_same_way(
    run, tmp_path, fake_ray, small_chunks, options, more, bad
):
    file = _file(tmp_path, bad=bad)
    alone = _outcome(run, file, *more)
    assert _outcome(run, file, *more, *options) == alone
    assert alone[0] == (1 if bad else 0)
    whole = not bad or "--keep-going" in more
    assert (len(alone[2].splitlines()) == 40) == whole


def _failing(monkeypatch):
    detector = FakeDetector({"soup": Distortion.LABELING}, fails_on="好")
    monkeypatch.setattr(detect, "load_detector", lambda name: detector)


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_row_that_the_detector_fails_on_stops_the_run_with_its_line(
    run, tmp_path, fake_ray, monkeypatch, engine
):
    _failing(monkeypatch)
    code, err, written = _outcome(run, file := _file(tmp_path), "--engine", engine)
    assert code == 1
    assert err == f"Error: {file}:2: no answer (--keep-going marks such rows and goes on)\n"
    assert [json.loads(line)["id"] for line in written.splitlines()] == ["r0"]


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_with_keep_going_a_row_that_the_detector_fails_on_is_marked(
    run, tmp_path, fake_ray, monkeypatch, engine
):
    _failing(monkeypatch)
    code, err, written = _outcome(run, _file(tmp_path, rows=4), "--keep-going", "--engine", engine)
    rows = [json.loads(line) for line in written.splitlines()]
    assert code == 1
    assert "1 of 4 items failed" in err
    assert rows[1] == {"id": "r1", "line": 2, "error": "no answer"}
    assert rows[2]["findings"]


def test_without_ray_the_pip_line_is_told_and_nothing_is_written(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    target = tmp_path / "out.jsonl"
    shown = run("detect", "--input", _file(tmp_path), "--output", target, "--engine", "ray")
    assert shown.code == 1
    assert 'pip install "untwist[ray]"' in shown.err
    assert not target.exists()


@pytest.mark.parametrize("options", [("--workers", "2"), ("--engine", "ray")])
def test_a_message_for_a_person_is_not_spread_over_workers(run, options):
    shown = run("detect", "I had soup", *options)
    assert shown.code == 2
    assert "--input" in shown.err


@pytest.mark.parametrize("options", [("--workers", "-1"), ("--engine", "dask")])
def test_a_wrong_number_of_workers_or_a_wrong_engine_is_wrong_usage(run, options):
    assert run("detect", "--json", "I had soup", *options).code == 2


def _waiting_run(tmp_path):
    """A run in a session of its own that waits for more rows and has answered some.

    Rows are taken in only as answers go out, so once many were taken some are written. Its error
    pipe ends when the last of its processes has ended, as each holds it open.
    """
    target = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "untwist", "detect", "--input", "-", "--output", target]
    process = subprocess.Popen(
        [*command, "--workers", "2"],
        start_new_session=True,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # whoever starts tests in the background may have told its children to ignore interrupts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    process.stdin.write(_file(tmp_path, rows=20 * detect._CHUNK).read_text(encoding="utf-8"))
    process.stdin.flush()
    return process, target


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups")
@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["all", "parent"])
def test_an_interrupt_ends_every_process_and_keeps_whole_rows(tmp_path, send):
    process, target = _waiting_run(tmp_path)
    with process:
        send(process.pid, signal.SIGINT)
        err = process.stderr.read()
    rows = target.read_text(encoding="utf-8").splitlines()
    assert process.returncode == 1
    assert err == f"Error: interrupted: {target} holds the first {len(rows):,} rows only\n"
    assert len(rows) > 10 * detect._CHUNK
    assert [json.loads(row)["id"] for row in rows] == [f"r{n}" for n in range(len(rows))]


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(tmp_path):
    process, _ = _waiting_run(tmp_path)
    with process:
        process.kill()
        process.stderr.read()
    assert process.returncode < 0


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_a_real_local_ray_writes_the_same_bytes(run, tmp_path):
    file = _file(tmp_path, rows=3000, bad=(1700,))
    alone = _outcome(run, file, "--keep-going")
    target = tmp_path / "ray.jsonl"
    command = [sys.executable, "-m", "untwist", "detect", "--input", file, "--output", target]
    options = ["--keep-going", "--engine", "ray", "--workers", "2"]
    inherited = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    # Ray keeps a token in the home folder, and its sockets need a short path
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        own = {"HOME": folder, "RAY_TMPDIR": folder}
        done = subprocess.run(
            [*command, *options], env=inherited | own, capture_output=True, text=True, check=False
        )
    assert done.returncode == alone[0] == 1
    assert "1 of 3000 items failed" in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_bytes() == alone[2]
