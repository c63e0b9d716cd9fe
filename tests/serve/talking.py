"""A program that talks to the server, in process or over a socket, and what it hears."""

import json
import time


class Talker:
    """Somebody with a key and one conversation."""

    def __init__(self, client):
        self.client = client
        made = client.post("/api/people", json={}).json()
        self.person, self.key = made["id"], made["key"]
        self.talk = client.post("/api/sessions", json={}, headers=self.head()).json()["id"]

    def head(self, key=None, **more):
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"authorization": f"Bearer {key or self.key}", **named}

    def post(self, text, **more):
        # half characters are sent as browsers send them, which no other form can
        head = self.head(content_type="application/json", **more)
        path = f"/api/sessions/{self.talk}/messages"
        return self.client.post(path, content=json.dumps({"text": text}), headers=head)

    def say(self, text, **more):
        """The whole stream of a reply."""
        answer = self.post(text, accept="text/event-stream", **more)
        assert answer.status_code == 200, answer.text
        return answer.text

    def begin(self, text):
        """The name of a turn whose reply nobody listens to."""
        portal = self.client.portal
        turns = self.client.app.state.untwist.turns
        return portal.call(turns.post, self.person, self.talk, text).id

    def follow(self, turn, key=None, after=None):
        head = self.head(key)
        if after is not None:
            head["last-event-id"] = f"{turn}.{after}"
        answer = self.client.get(f"/api/turns/{turn}/events", headers=head)
        assert answer.status_code == 200, answer.text
        return answer.text


def events(text):
    """Ids, kinds and data of the events of a stream; signs of life are left out."""
    found = []
    for block in text.strip().split("\n\n"):
        rows = dict(row.split(": ", 1) for row in block.split("\n") if not row.startswith(":"))
        if rows:
            found.append((rows["id"], rows["event"], json.loads(rows["data"])))
    return found


def text_of(found):
    """What somebody who listened to the end has before them."""
    text = ""
    for _, kind, data in found:
        if kind == "delta":
            text += data["text"]
        if kind == "replace":
            text = data["text"]
    return text


def until(happened, seconds=20.0):
    """Wait for something, and fail where it does not come."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.005)
