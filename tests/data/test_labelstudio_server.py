import io
import json
from email.message import Message
from urllib.error import HTTPError, URLError

import pytest

from untwist.data.labelstudio import Server
from untwist.data.labelstudio.server import CHUNK, _Stay
from untwist.errors import ConfigError, DataError

TOKEN = "0123456789abcdef"
URL = "http://127.0.0.1:9"


class Fake:
    """An opener that answers from a list and keeps the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def open(self, request, timeout):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def lines(self):
        return [f"{one.get_method()} {one.full_url.removeprefix(URL)}" for one in self.asked]

    def bodies(self):
        return [one.data and json.loads(one.data) for one in self.asked]


def server(*answers, token=TOKEN):
    fake = Fake(*answers)
    return Server(URL + "/", token, opener=fake), fake


def failure(code, body=b"{}"):
    return HTTPError(URL, code, "no", Message(), io.BytesIO(body))


def test_five_calls_are_all_that_is_asked():
    one, fake = server({"id": 4}, {"label_config": "<View/>"}, {"task_count": 1}, [], {"id": 9})
    assert one.create("mine", "<View/>", 3) == 4
    assert one.config(4) == "<View/>"
    assert one.add(4, [{"data": {"text": "好"}}]) == 1
    assert one.export(4) == []
    assert one.annotate(7, [{"a": 1}], by=2) == 9
    assert fake.lines() == [
        "POST /api/projects/",
        "GET /api/projects/4/",
        "POST /api/projects/4/import",
        "GET /api/projects/4/export?exportType=JSON&download_all_tasks=true",
        "POST /api/tasks/7/annotations/",
    ]
    assert {request.get_header("Authorization") for request in fake.asked} == {f"Token {TOKEN}"}
    created, _, imported, _, annotated = fake.bodies()
    assert created["maximum_annotations"] == 3
    assert created["show_collab_predictions"] is False
    assert imported == [{"data": {"text": "好"}}]
    assert annotated == {"result": [{"a": 1}], "completed_by": 2}


def test_a_personal_token_is_exchanged_before_every_call():
    one, fake = server({"access": "short"}, [], token="a.b.c")
    one.export(1)
    assert fake.lines()[0] == "POST /api/token/refresh/"
    assert fake.bodies()[0] == {"refresh": "a.b.c"}
    assert fake.asked[0].get_header("Authorization") is None
    assert fake.asked[1].get_header("Authorization") == "Bearer short"


def test_many_tasks_go_in_several_calls():
    one, fake = server({"task_count": CHUNK}, {"task_count": 1})
    assert one.add(1, [{"data": {}}] * (CHUNK + 1)) == CHUNK + 1
    assert [len(body) for body in fake.bodies()] == [CHUNK, 1]


def test_no_task_needs_no_call():
    one, fake = server()
    assert one.add(1, []) == 0
    assert fake.asked == []


def test_a_server_that_takes_fewer_tasks_is_found_out():
    one, _ = server({"task_count": 1})
    with pytest.raises(DataError, match="1 of 2"):
        one.add(1, [{}, {}])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (failure(401), "refuses the token"),
        (failure(403), "refuses the token"),
        (failure(404), "no such project"),
        (failure(302), "redirects"),
        (failure(500, b"<html>"), "(500)"),
        (failure(400, b'{"validation_errors": {"title": ["secret words"]}}'), "about title"),
        (URLError(ConnectionRefusedError()), "is it running"),
        (TimeoutError(), "is it running"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_do(answer, words):
    one, _ = server(answer)
    with pytest.raises(ConfigError) as raised:
        one.export(1)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("answer", [b"<html>", b"\xff", {"detail": "x"}, [1], b""])
def test_an_answer_that_is_no_export_is_found_out(answer):
    one, _ = server(answer)
    with pytest.raises(DataError, match="Label Studio"):
        one.export(1)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "ftp://x",
        "http://",
        "http://u:hunter2@host",
        "http://:hunter2@host",
        "http://@host",
        "http://host:hunter2",
        "http://host:70000",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ConfigError, match="address"):
        Server(url, TOKEN)


def test_a_token_is_needed_and_never_shown():
    with pytest.raises(ConfigError, match="token"):
        Server(URL, " ")
    assert TOKEN not in repr(Server(URL, TOKEN))


def test_a_redirection_is_not_followed():
    assert _Stay().redirect_request(None, None, 302, "", None, "http://elsewhere") is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://label.example:8080/of/hunter2?key=hunter2", "label.example:8080"),
        ("https://Label.Example", "label.example"),
        ("http://[::1]:80", "[::1]:80"),
    ],
)
def test_messages_show_host_and_port_alone(url, shown):
    one = Server(url, TOKEN, opener=Fake(URLError("refused"), b"<html>"))
    with pytest.raises(ConfigError) as unreached:
        one.export(1)
    with pytest.raises(DataError) as strange:
        one.export(1)
    for said in (str(unreached.value), str(strange.value)):
        assert f"{shown} " in said
        assert "hunter2" not in said
        assert "://" not in said
