"""The app and the API: a calm page for a person, the same process for engineers.

Purpose: conversations over HTTP, kept safely, private by default.
Takes: an engine, settings, a store.
Gives: an ASGI application.
May import: engine and everything below it.
Heavy doors: everything here needs the extra "serve".
"""
