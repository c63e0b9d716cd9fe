"use strict";
(() => {
  const set = JSON.parse(document.getElementById("set").textContent);
  const form = document.querySelector("form");
  const rater = document.getElementById("rater");
  const status = document.getElementById("status");
  const store = "untwist-rating-" + set.id;
  let unsaved = false;

  const chosen = (code, scale) => {
    const input = form.querySelector(`input[name="${code}.${scale}"]:checked`);
    return input ? input.value : "";
  };
  const comment = (code) => form.elements[code + ".comment"].value.trim();
  const rows = () => set.codes.map((code) => [code, ...set.scales.map((s) => chosen(code, s)), comment(code)]);

  const tell = () => {
    const all = rows();
    const done = all.filter((row) => row.slice(1, -1).every((cell) => cell !== "")).length;
    let kept = set.words.kept;
    try {
      localStorage.setItem(store, JSON.stringify({ rater: rater.value, rows: all }));
    } catch {
      kept = set.words.not_kept;
    }
    const count = set.words.done.replace("{done}", done).replace("{of}", all.length);
    status.textContent = `${count} · ${kept}`;
  };

  const restore = () => {
    let held = null;
    try {
      held = JSON.parse(localStorage.getItem(store));
    } catch {
      return;
    }
    if (!held || !Array.isArray(held.rows)) return;
    rater.value = String(held.rater || set.rater);
    for (const [code, ...cells] of held.rows) {
      if (!set.codes.includes(code)) continue;
      set.scales.forEach((scale, at) => {
        for (const input of form.querySelectorAll(`input[name="${code}.${scale}"]`)) {
          input.checked = input.value === cells[at];
        }
      });
      form.elements[code + ".comment"].value = cells[set.scales.length] || "";
    }
  };

  // a cell that a spreadsheet would take for a formula gets an apostrophe before it
  const cell = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
    return '"' + safe.replaceAll('"', '""') + '"';
  };

  form.addEventListener("input", () => {
    unsaved = true;
    tell();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!rater.value.trim()) {
      status.textContent = set.words.missing;
      rater.focus();
      return;
    }
    const table = [["rater", "code", ...set.scales, "comment"], ...rows().map((row) => [rater.value.trim(), ...row])];
    const text = "\ufeff" + table.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    link.download = `ratings-${rater.value.trim().replace(/[^\p{L}\p{N}_-]+/gu, "-")}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    unsaved = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
  restore();
  tell();
})();
