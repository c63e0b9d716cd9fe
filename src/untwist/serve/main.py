"""Starting the server: one process, or several that share nothing but the store.

`run` hands its settings to workers through the environment of this process, so that a worker that
is started anew comes up with the same ones.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from untwist.engine import ASKED, Engine
from untwist.errors import ConfigError, UntwistError
from untwist.llm import Model
from untwist.respond import GeneratedResponder
from untwist.safety import Settings as NoticeSettings
from untwist.serve import logs
from untwist.serve.app import create_app
from untwist.serve.circuit import Circuit
from untwist.serve.patience import PatientProtocol
from untwist.serve.settings import Limits, ServeSettings
from untwist.serve.speaking import without_model
from untwist.serve.store import open_store, read_keys
from untwist.serve.store.database import Database
from untwist.serve.store.migrate import NEWEST, layout

CARRIED = "UNTWIST_SERVE_SETTINGS"
"""The variable in which workers find their settings."""
_BACKLOG = 2048
_KEEP_ALIVE = 15


def app_from_environment() -> FastAPI:
    """The application of a worker.

    Raises:
        ConfigError: this process was not started by `run`.
    """
    return build(carried(os.environ), os.environ)


def build(settings: ServeSettings, environment: Mapping[str, str]) -> FastAPI:
    """An application with the default engine and the store that the settings name.

    Raises:
        ConfigError: a setting cannot be used.
        StoreError: the database cannot be used.
        ArtifactError: a shipped model cannot be used.
    """
    store = open_store(settings.db, read_keys([Path(file) for file in settings.key_files]))
    engine = engine_of(settings)
    # the models are read before the first person waits for them
    without_model(engine).turn("Hello.")
    app = create_app(engine, settings, store, environment)
    _give_back()
    return app


def engine_of(settings: ServeSettings) -> Engine:
    """The default engine; with a language model's words, within deadlines, where one is set.

    Raises:
        ConfigError: nothing says where the language model is.
        ArtifactError: a shipped model cannot be used.
    """
    region = settings.region or None
    if not settings.llm:
        return Engine.default(conversation=True, region=region)
    engine = Engine.default(conversation=True, region=region, responder=f"{ASKED}{settings.llm}")
    return within(engine, settings.limits)


def within(engine: Engine, limits: Limits) -> Engine:
    """An engine whose language model is cut off in time, and left alone after failures.

    Raises:
        ConfigError: the engine asks none.
    """
    responder = engine.responder
    if not isinstance(responder, GeneratedResponder) or not isinstance(responder.model, Model):
        raise ConfigError("this engine asks no language model")
    model = Circuit(responder.model, first=limits.first, whole=limits.whole)
    # its own deadline says less than the circuit's, so that it comes after it
    return replace(engine, responder=replace(responder, model=model, deadline=limits.whole + 1))


def run(settings: ServeSettings, environment: MutableMapping[str, str], workers: int = 1) -> None:
    """Serve until the process is told to stop.

    Args:
        settings: of the operator.
        environment: of this process; workers find their settings there.
        workers: how many processes; they share nothing but the store.

    Raises:
        ConfigError: a setting cannot be used.
        StoreError: the database cannot be used.
    """
    options: dict[str, Any] = {
        "http": PatientProtocol,
        "loop": "asyncio",
        "ws": "none",
        "host": settings.host,
        "port": settings.port,
        "log_config": logs.config(),
        "log_level": None,
        "access_log": False,
        "server_header": False,
        "date_header": False,
        "proxy_headers": False,
        "backlog": _BACKLOG,
        "timeout_keep_alive": _KEEP_ALIVE,
        "timeout_graceful_shutdown": int(settings.limits.drain),
    }
    _bring_tables(settings)
    if workers == 1:
        uvicorn.run(build(settings, environment), **options)
        return
    # what is wrong is said once, by this process, before workers are started
    open_store(settings.db, read_keys([Path(file) for file in settings.key_files])).close()
    environment[CARRIED] = json.dumps(_plain(settings))
    factory = f"{__name__}:{app_from_environment.__name__}"
    uvicorn.run(factory, factory=True, workers=workers, **options)


def _bring_tables(settings: ServeSettings) -> None:
    """Tables brought up to date by a process of its own, so that none that serves has to: 13 MB.

    Where it fails, opening the store tries again and says why.

    Raises:
        ConfigError: the address cannot be used.
    """
    database = Database(settings.db)
    try:
        known = layout(database.engine)
    finally:
        database.close()
    if known == NEWEST:
        return
    process = get_context("spawn").Process(target=_open_once, args=(_plain(settings),))
    process.start()
    process.join()


def _open_once(plain: dict[str, Any]) -> None:
    with contextlib.suppress(UntwistError):
        open_store(plain["db"], read_keys([Path(file) for file in plain["key_files"]])).close()


def _give_back() -> None:
    """Return to the system what reading the models took: 10 MB of a worker's 150, with glibc."""
    gc.collect()
    # another C library keeps it: nothing is lost but those
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def carried(environment: Mapping[str, str]) -> ServeSettings:
    """The settings that `run` left for a worker.

    Raises:
        ConfigError: there are none.
    """
    text = environment.get(CARRIED)
    if text is None:
        raise ConfigError("workers are started by untwist serve --workers N")
    given: dict[str, Any] = json.loads(text)
    limits = Limits(**given.pop("limits"))
    notices = given.pop("notices")
    notices["chat_off"] = frozenset(notices["chat_off"])
    given["key_files"] = tuple(given["key_files"])
    return ServeSettings(**given, limits=limits, notices=NoticeSettings(**notices))


def _plain(settings: ServeSettings) -> dict[str, Any]:
    plain = {item.name: getattr(settings, item.name) for item in fields(settings)}
    notices = asdict(settings.notices)
    notices["chat_off"] = sorted(notices["chat_off"])
    return {**plain, "limits": asdict(settings.limits), "notices": notices}
