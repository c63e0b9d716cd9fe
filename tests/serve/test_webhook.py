"""The operator's own system is told of a crisis reply: when, and nothing else."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

pytest.importorskip("prometheus_client")

from tests.serve.talking import until
from untwist.errors import ConfigError
from untwist.serve import webhook
from untwist.serve.metrics import Metrics
from untwist.serve.settings import ServeSettings
from untwist.serve.webhook import Webhook


class Listener:
    """A system that hears what it is told, and answers with a status."""

    def __init__(self, status=204, location=""):
        self.heard = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["content-length"])
                outer.heard.append((self.path, json.loads(self.rfile.read(length))))
                self.send_response(status)
                if location:
                    self.send_header("location", location)
                self.end_headers()

            def log_message(self, *_):
                return None

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def failures(metrics):
    return metrics.failures.labels("webhook")._value.get()


@pytest.mark.loopback
def test_it_is_told_when_and_nothing_else():
    metrics = Metrics()
    with Listener() as system:
        hook = Webhook(system.url, metrics, lambda: 1_800_000_000.25)
        hook.tell()
        until(lambda: metrics.told._value.get() == 1)
        hook.close()
    at = "2027-01-15T08:00:00+00:00"
    assert system.heard == [("/hook", {"event": "crisis_reply", "at": at})]
    assert failures(metrics) == 0


@pytest.mark.loopback
@pytest.mark.parametrize(("status", "location"), [(500, ""), (302, "http://127.0.0.1:9/else")])
def test_what_fails_shows_in_the_metrics_and_goes_nowhere_else(status, location):
    metrics = Metrics()
    with Listener(status, location) as system:
        hook = Webhook(system.url, metrics, lambda: 0.0)
        hook.tell()
        until(lambda: failures(metrics) == 1)
        hook.close()
    assert len(system.heard) == 1


def test_a_system_that_never_answers_delays_nobody(monkeypatch):
    metrics, free = Metrics(), threading.Event()
    monkeypatch.setattr(Webhook, "_call", lambda *_: free.wait(20))
    hook = Webhook("http://127.0.0.1:9/", metrics, lambda: 0.0)
    for _ in range(webhook.WAITING + 7):
        hook.tell()
    assert failures(metrics) == 7
    free.set()
    hook.close()


def test_without_an_address_nobody_is_told(monkeypatch):
    monkeypatch.setattr(Webhook, "_call", lambda *_: pytest.fail("told"))
    hook = Webhook("", Metrics(), lambda: 0.0)
    hook.tell()
    hook.close()


@pytest.mark.parametrize("url", ["http://example.org/x", "ftp://x", "hook", "https://", "//x"])
def test_an_address_at_which_others_can_read_along_is_refused(url):
    with pytest.raises(ConfigError):
        ServeSettings(crisis_webhook=url)


def test_the_webhook_hears_of_a_turn_in_danger_and_of_no_other(tmp_path, speaking, monkeypatch):
    from fastapi.testclient import TestClient

    from tests.serve.talking import Talker
    from untwist.serve.app import create_app
    from untwist.serve.store import open_store

    told = []
    monkeypatch.setattr(Webhook, "_call", lambda self, at: told.append(at))
    settings = ServeSettings(crisis_webhook="https://hooks.example.org/x")
    app = create_app(speaking, settings, open_store(f"sqlite:///{tmp_path}/w.db"))
    with TestClient(app) as client:
        Talker(client).post("I bought two apples")
        assert told == []
        Talker(client).post("I want to die tonight")
        until(lambda: len(told) == 1)
