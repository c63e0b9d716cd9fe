import pytest

from untwist.recipes import publish


@pytest.fixture
def no_pictures(monkeypatch):
    """As if matplotlib were not installed: drawing takes seconds."""
    monkeypatch.setattr(publish, "find_spec", lambda name: None)
