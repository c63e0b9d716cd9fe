"""Stores to test with: SQLite in a fresh folder, PostgreSQL where the run starts one."""

import os
import uuid

import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")

from untwist.serve.store import open_store

KEY = bytes(range(32))


class Clock:
    """Time that a test moves."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/untwist.db"


@pytest.fixture(scope="session")
def postgres_server():
    """The address of a server; the run that starts one names it in UNTWIST_TEST_POSTGRES."""
    url = os.environ.get("UNTWIST_TEST_POSTGRES")
    if not url:
        pytest.skip("no PostgreSQL was started: runs/with_postgres.sh does")
    return url


@pytest.fixture
def postgres_url(postgres_server):
    from sqlalchemy import create_engine, text

    name = f"untwist_{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.rsplit("/", 1)[0] + "/" + name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "sealed", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request, clock):
    sealed = request.param == "sealed"
    if sealed:
        pytest.importorskip("cryptography")
    url = request.getfixturevalue("postgres_url" if request.param == "postgres" else "sqlite_url")
    opened = open_store(url, [KEY] if sealed else [], clock)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def speaking():
    """An engine that leads conversations; it keeps nothing, so that all tests share it."""
    from untwist.engine import Engine

    return Engine.default(conversation=True)


@pytest.fixture
def server(tmp_path, clock, speaking):
    """A running server; `browsing.Person(server)` is somebody who comes to it."""
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    from untwist.serve.app import create_app
    from untwist.serve.settings import ServeSettings

    opened = open_store(f"sqlite:///{tmp_path}/web.db", clock=clock)
    app = create_app(speaking, ServeSettings(), opened)
    with TestClient(app) as running:
        running.store = opened
        yield running


def pytest_collection_modifyitems(items):
    """Everything in this folder needs the extra."""
    for item in items:
        if "/tests/serve/" in str(item.path):
            item.add_marker(pytest.mark.serve)
