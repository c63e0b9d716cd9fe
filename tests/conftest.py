"""No test reaches the network; one that is marked reaches servers that it starts itself."""

import socket

import pytest

_LOOPBACK = ("127.0.0.1", "::1")


@pytest.fixture(autouse=True)
def _no_network(request, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a test tried to open a connection")

    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    own = request.node.get_closest_marker("loopback") is not None

    def guarded(real):
        def call(self, address):
            here = own and isinstance(address, tuple) and address[0] in _LOOPBACK
            return real(self, address) if here else refuse()

        return call

    find = socket.getaddrinfo

    def lookup(host, *arguments, **options):
        return find(host, *arguments, **options) if own and host in _LOOPBACK else refuse()

    monkeypatch.setenv("UNTWIST_LLM_LOOPBACK_ONLY", "1")
    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
