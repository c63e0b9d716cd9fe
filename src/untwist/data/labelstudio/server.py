"""A Label Studio server, by five plain HTTP calls; nothing but the standard library.

Whatever is sent leaves this machine, unless the server runs on it. The token is sent to that server
alone: a redirection elsewhere is not followed. Nothing is tried twice, for a task that is sent
twice is there twice; `untwist people push` sends what is missing when it is called again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage
from ipaddress import ip_address
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from untwist.errors import ConfigError, DataError
from untwist.schema import Json

TIMEOUT = 120.0
"""Seconds for one call; an export of a large project takes its time."""
CHUNK = 200
"""Tasks in one call."""
_REFUSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Server:
    """A running Label Studio.

    Attributes:
        url: such as "http://127.0.0.1:8080".
        token: an access token of an account there: a legacy token (40 letters), or a personal one,
            which is exchanged for a short-lived one before every call.
        timeout: seconds for one call.
        opener: in place of the standard library's.

    Raises:
        ConfigError: the address is none, or the token is empty.
    """

    url: str
    token: str = field(repr=False)
    timeout: float = TIMEOUT
    opener: OpenerDirector | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _is_address(self.url):
            raise ConfigError('no address of a server: give one such as "http://127.0.0.1:8080"')
        if not self.token.isascii() or not self.token.strip():
            raise ConfigError("no access token: copy it from Account & Settings in Label Studio")

    def create(self, title: str, config: str, annotators: int = 1) -> int:
        """Make a project; returns its number.

        Args:
            title: 3 to 50 characters.
            config: the XML of the page.
            annotators: how many shall judge each task; predictions are never shown to them.

        Raises:
            ConfigError: the server cannot be reached, or refuses the token or the project.
            DataError: its answer cannot be read.
        """
        project = {"title": title, "label_config": config, "maximum_annotations": annotators}
        answer = self._call("POST", "/api/projects/", project | {"show_collab_predictions": False})
        return _number(answer, "id")

    def show_predictions(self, project: int) -> None:
        """Let annotators start from the predictions that come with the tasks.

        Raises:
            ConfigError: the server cannot be reached, or refuses.
            DataError: its answer cannot be read.
        """
        self._call("PATCH", f"/api/projects/{project}/", {"show_collab_predictions": True})

    def config(self, project: int) -> str:
        """The XML of a project's page.

        Raises:
            ConfigError: the server cannot be reached, or has no such project.
            DataError: its answer cannot be read.
        """
        answer = self._call("GET", f"/api/projects/{project}/")
        if not isinstance(answer, dict) or not isinstance(answer.get("label_config"), str):
            raise self._strange("no project")
        return str(answer["label_config"])

    def add(self, project: int, tasks: Sequence[Json]) -> int:
        """Send tasks to a project; returns how many it took.

        Raises:
            ConfigError: the server cannot be reached, or refuses the tasks.
            DataError: its answer cannot be read, or it took fewer.
        """
        count = 0
        for start in range(0, len(tasks), CHUNK):
            part = list(tasks[start : start + CHUNK])
            answer = self._call("POST", f"/api/projects/{project}/import", part)
            taken = _number(answer, "task_count")
            count += taken
            if taken != len(part):
                raise DataError(f"project {project} took {taken} of {len(part)} tasks")
        return count

    def export(self, project: int) -> list[Json]:
        """Every task of a project with its annotations, also those without any.

        Raises:
            ConfigError: the server cannot be reached, or has no such project.
            DataError: its answer cannot be read.
        """
        query = "exportType=JSON&download_all_tasks=true"
        answer = self._call("GET", f"/api/projects/{project}/export?{query}")
        if not isinstance(answer, list) or not all(isinstance(task, dict) for task in answer):
            raise self._strange("no list of tasks")
        return answer

    def annotate(self, task: int, result: Sequence[Json], by: int | None = None) -> int:
        """Hand in an annotation; returns its number.

        Args:
            task: the server's number of the task.
            result: what was filled in.
            by: the number of the annotator; None is the token's owner.

        Raises:
            ConfigError: the server cannot be reached, or refuses the annotation.
            DataError: its answer cannot be read.
        """
        body: Json = {"result": list(result)} | ({} if by is None else {"completed_by": by})
        return _number(self._call("POST", f"/api/tasks/{task}/annotations/", body), "id")

    def _call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        return self._send(method, path, body, {"Authorization": self._authorise()})

    def _authorise(self) -> str:
        """The header that goes with every call; a personal token is exchanged first."""
        if self.token.count(".") != 2:
            return f"Token {self.token.strip()}"
        answer = self._send("POST", "/api/token/refresh/", {"refresh": self.token.strip()}, {})
        if not isinstance(answer, dict) or not isinstance(answer.get("access"), str):
            raise self._strange("no access token")
        return f"Bearer {answer['access']}"

    def _send(self, method: str, path: str, body: object, headers: dict[str, str]) -> Any:  # noqa: ANN401
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8")
        headers = headers | {"Content-Type": "application/json", "Accept": "application/json"}
        request = Request(self.url.rstrip("/") + path, data, headers, method=method)
        try:
            with self._opener().open(request, timeout=self.timeout) as answer:
                raw = answer.read()
        except HTTPError as error:
            raise self._refusal(error, path) from error
        except (URLError, HTTPException, OSError) as error:
            raise ConfigError(
                f"no Label Studio answers at {self._shown()} ({_why(error)}): is it running?"
            ) from error
        try:
            return json.loads(raw)
        except ValueError as error:
            raise self._strange("no JSON") from error

    def _opener(self) -> OpenerDirector:
        if self.opener is not None:
            return self.opener
        # a proxy of the environment knows nothing of this machine's own servers
        here = _is_loopback(urlsplit(self.url).hostname or "")
        return build_opener(_Stay(), *([ProxyHandler({})] if here else []))

    def _refusal(self, error: HTTPError, path: str) -> ConfigError:
        with error:
            raw = error.read(10_000)
        if error.code in _REFUSED:
            return ConfigError(
                f"Label Studio at {self._shown()} refuses the token ({error.code}): copy it anew; "
                "a legacy token must be allowed in the organisation's settings"
            )
        if error.code == 404:
            return ConfigError(f"Label Studio at {self._shown()} has no such project or task")
        if 300 <= error.code < 400:
            return ConfigError(f"{self._shown()} redirects: give the server's own address")
        # only names of fields are repeated: what the server says may quote a task
        names = f", about {', '.join(found)}" if (found := _fields(raw)) else ""
        return ConfigError(
            f"Label Studio at {self._shown()} refuses {path.split('?')[0]} ({error.code}{names})"
        )

    def _strange(self, what: str) -> DataError:
        return DataError(f"{self._shown()} answers with {what}: is it a Label Studio?")

    def _shown(self) -> str:
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port}" if parts.port is not None else str(host)


class _Stay(HTTPRedirectHandler):
    """Follows no redirection, for it would carry the token elsewhere."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Never another request."""


def _is_address(url: str) -> bool:
    """Whether it names a server, and nobody who logs in there: messages would show the password."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and parts.port != 0
        )
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    return type(reason).__name__ if isinstance(reason, Exception) else str(reason)


def _fields(raw: bytes) -> list[str]:
    try:
        said = json.loads(raw)
    except ValueError:
        return []
    found = said.get("validation_errors") if isinstance(said, dict) else None
    return sorted(str(name) for name in found) if isinstance(found, dict) else []


def _number(answer: object, key: str) -> int:
    value = answer.get(key) if isinstance(answer, dict) else None
    if type(value) is not int:
        raise DataError(f'the server\'s answer has no "{key}": is it a Label Studio?')
    return value
