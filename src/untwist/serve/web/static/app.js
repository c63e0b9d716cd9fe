// The pages work without this file; with it replies come as they are made, and help opens at once.
"use strict";

const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
const help = document.getElementById("help");

for (const button of all("[data-open]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.open).showModal());
}
for (const button of all("[data-copy]")) {
  button.addEventListener("click", () => navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent));
}
for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const form of all("form[data-once]")) {
  form.addEventListener("submit", () => setTimeout(() => all("button", form).forEach((b) => (b.disabled = true))));
}
for (const form of all("form[data-confirm]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });
}
for (const form of all("[data-away]")) {
  // the page is gone from the screen and from the way back before the server has answered
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true }).catch(() => {});
    location.replace("/away");
  });
}
let escapes = 0;
document.addEventListener("keydown", (event) => {
  if (event.altKey && event.code === "KeyH" && help) { event.preventDefault(); if (!help.open) help.showModal(); }
  escapes = event.key === "Escape" ? escapes + 1 : 0;
  if (escapes === 3) { const form = document.querySelector("[data-away]"); if (form) form.requestSubmit(); }
});

const say = document.getElementById("say");
if (say) talk(say);

function talk(form) {
  const log = document.getElementById("log");
  const box = form.elements.text;
  const state = document.getElementById("state");
  for (const item of all("[data-turn]", log)) follow(item.dataset.turn, item, -1);

  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = box.value;
    if (!text.trim() || form.dataset.busy) return;
    form.dataset.busy = "1";
    state.textContent = state.dataset.busy;
    const mine = added("said", text);
    const answer = added("answer", "");
    try {
      const got = await post(text);
      if (!got.ok) return failed(await got.json(), answer);
      box.value = "";
      form.elements.key.value = fresh();
      await read(got, answer, "", -1);
    } catch {
      // nothing came: the message may or may not be kept, and its key makes sending it again harmless
      mine.remove();
      answer.remove();
      state.textContent = state.dataset.offline;
      help.showModal();
    } finally {
      delete form.dataset.busy;
    }
  });

  function post(text) {
    const head = { "content-type": "application/json", accept: "text/event-stream", "idempotency-key": form.elements.key.value, "x-untwist-csrf": form.dataset.csrf };
    return fetch(form.dataset.stream, { method: "POST", headers: head, body: JSON.stringify({ text }) });
  }

  function added(name, text) {
    const item = document.getElementById(name).content.firstElementChild.cloneNode(true);
    if (text) item.querySelector("p").textContent = text;
    log.append(item);
    item.scrollIntoView({ block: "nearest" });
    return item;
  }

  function failed(body, item) {
    state.textContent = body.error ? body.error.message : "";
    const words = item.querySelector(".words");
    if (body.error && body.error.help) words.textContent = body.error.help;
    else { item.remove(); help.showModal(); }
  }

  async function read(got, item, turn, last) {
    const reader = got.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    let ended = false;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        rest += decoder.decode(value, { stream: true });
        const blocks = rest.split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const found = event(block);
          if (!found) continue;
          [turn, last] = found.id.split(".").map((part, i) => (i ? Number(part) : part));
          ended = shown(found, item) || ended;
        }
      }
    } catch { /* the connection broke: what is missing is asked for again */ }
    if (ended) return finished(turn, item);
    return turn ? follow(turn, item, last) : undefined;
  }

  function event(block) {
    const rows = {};
    for (const line of block.split("\n")) {
      const at = line.indexOf(": ");
      if (at > 0) rows[line.slice(0, at)] = line.slice(at + 2);
    }
    return rows.id ? { id: rows.id, kind: rows.event, data: JSON.parse(rows.data) } : null;
  }

  function shown(found, item) {
    const words = item.querySelector(".words");
    if (found.kind === "delta") { words.append(found.data.text); item.scrollIntoView({ block: "nearest" }); }
    if (found.kind === "replace") words.textContent = found.data.text;
    if (found.kind === "failed") words.textContent = found.data.help;
    return found.kind === "done" || found.kind === "failed";
  }

  async function follow(turn, item, last) {
    // the reply belongs to the server: it is taken up again where it broke, for two minutes
    for (let tries = 0; tries < 40; tries += 1) {
      try {
        const head = { "last-event-id": last < 0 ? "" : `${turn}.${last}` };
        if (last < 0) { item.querySelector(".words").textContent = ""; delete head["last-event-id"]; }
        const got = await fetch(`/api/turns/${turn}/events`, { headers: head });
        if (got.ok) return read(got, item, turn, last);
      } catch { /* tried again below */ }
      state.textContent = state.dataset.lost;
      await new Promise((done) => setTimeout(done, 3000));
    }
    help.showModal();
  }

  async function finished(turn, item) {
    state.textContent = "";
    const got = await fetch(form.dataset.turn + turn);
    if (!got.ok) return;
    const parsed = new DOMParser().parseFromString(await got.text(), "text/html");
    const fresh = parsed.querySelector(".it");
    if (!fresh) return;
    item.replaceWith(fresh);
    const thought = fresh.dataset.thought;
    if (thought) { document.getElementById("thought").textContent = thought; document.getElementById("pinned").hidden = false; }
    box.focus();
  }

  function fresh() {
    return Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}
