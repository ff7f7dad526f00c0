// The list of files beside the one that is looked at: filter, sort, move and decide, by keyboard or by hand.
const PAGE = 100; // rows shown at once
const ORDERS = {
  review: ["to review first", (a, b) => b.review - a.review || (b.score ?? -1) - (a.score ?? -1)],
  score: ["score", (a, b) => (b.score ?? -1) - (a.score ?? -1)],
  name: ["name", (a, b) => a.name.localeCompare(b.name, "en", { numeric: true })],
  verdict: ["verdict", (a, b) => a.verdict.localeCompare(b.verdict)],
  length: ["length", (a, b) => (b.length ?? -1) - (a.length ?? -1)],
  scanned: ["order of the scan", (a, b) => a.place - b.place],
};

function workbench(page) {
  const find = (name) => document.getElementById(name);
  const list = find("rows"), clip = find("clip"), live = find("said"), dialog = find("who"), keys = find("keys");
  const state = { order: "review", backwards: false, verdicts: new Set(), only: "all", text: "", first: 0, at: null };
  const service = typeof serviceOf === "function" ? serviceOf(page) : null; // in the page of a service alone
  const decisions = decisionsOf(say, service);
  const rows = page.rows.map((row) => ({
    ...row, key: row.sha256 || row.path, model: page.models[row.model] ?? null, tone: told(page.verdicts, row.verdict, "plain"), ...namesOf(row),
  }));
  const entries = entriesOf(page, say, service);
  let visible = [], shown = null, waiting = null;

  function namesOf(row) {
    const cut = row.path.replaceAll("\\", "/").lastIndexOf("/");
    return { name: row.name ?? row.path.slice(cut + 1), folder: row.name ? "" : row.path.slice(0, Math.max(cut, 0)) };
  }
  function say(text) {
    live.textContent = text;
  }
  function decided(row) {
    return decisions.get(row.key);
  }
  function matches(row) {
    if (state.verdicts.size && !state.verdicts.has(row.verdict)) return false;
    if (state.only === "review" && !row.review) return false;
    if (state.only === "undecided" && decided(row)) return false;
    if (state.only === "decided" && !decided(row)) return false;
    return !state.text || `${row.folder}/${row.name} ${row.sha256 || ""}`.toLowerCase().includes(state.text);
  }
  function refresh(keep = true) {
    const compare = ORDERS[state.order][1];
    visible = rows.filter(matches).sort((a, b) => (state.backwards ? -1 : 1) * (compare(a, b) || a.place - b.place));
    if (!keep) state.first = 0;
    state.first = Math.min(state.first, Math.max(0, Math.floor((visible.length - 1) / PAGE) * PAGE));
    const held = list.contains(document.activeElement);
    list.replaceChildren(...visible.slice(state.first, state.first + PAGE).map(rowOf));
    if (held) list.querySelector("[aria-current]")?.focus({ preventScroll: true });
    if (!visible.length) list.append(make("li", { class: "nothing", text: "No file fits. Take a filter off." }));
    find("pager").hidden = visible.length <= PAGE;
    find("range").textContent = visible.length ? `${state.first + 1} to ${Math.min(state.first + PAGE, visible.length)} of ${visible.length.toLocaleString("en")}` : "";
    find("earlier").disabled = state.first === 0;
    find("later").disabled = state.first + PAGE >= visible.length;
    const done = rows.filter(decided).length, wanted = rows.filter((row) => row.review), left = wanted.filter((row) => !decided(row)).length;
    find("progress").textContent = `${many(done, "file")} decided${wanted.length ? `, ${left} to review left` : ""}`;
    find("export").disabled = !done;
    find("reviewer").textContent = decisions.reviewer || "nobody yet";
  }
  function rowOf(row) {
    const made = decided(row), chosen = row === state.at;
    return make("li", {}, make("button", { class: "row", type: "button", "aria-current": chosen ? "true" : null, click: () => open(row, true) },
      make("span", { class: "title", text: row.name }),
      make("span", { class: "number", text: isNumber(row.score) ? score3(row.score) : "–" }),
      verdictTag(row.verdict, row.tone),
      made ? make("span", { class: `made ${made.decision}`, text: DECISIONS[made.decision][1] }) : row.review ? make("span", { class: "look", text: "to review" }) : null));
  }
  async function open(row, byHand = false) {
    state.at = row;
    const place = visible.indexOf(row);
    if (place >= 0 && (place < state.first || place >= state.first + PAGE)) state.first = Math.floor(place / PAGE) * PAGE;
    refresh();
    list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
    shown?.end();
    shown = null;
    clip.setAttribute("aria-busy", "true");
    const entry = await entries.get(row);
    if (state.at !== row) return;
    clip.removeAttribute("aria-busy");
    if (!entry) {
      clip.replaceChildren(make("p", { class: "nothing", text: `The part of this report with ${row.name} is not there: keep its folder together.` }));
      return;
    }
    try {
      shown = clipOf(entry, page, { form: formOf(row) });
      clip.replaceChildren(shown.article);
    } catch (error) {
      clip.replaceChildren(make("p", { class: "nothing", text: `This record cannot be shown: ${error.message}` }));
    }
    if (byHand) document.body.dataset.view = "clip";
    if (document.body.dataset.view === "clip" && window.innerWidth < 900) window.scrollTo(0, 0);
    else if (clip.getBoundingClientRect().top < 0) clip.scrollIntoView({ block: "start" });
    say(`${place + 1} of ${visible.length}: ${row.name}, ${row.verdict}${decided(row) ? `, decided: ${DECISIONS[decided(row).decision][1]}` : ""}`);
  }
  function formOf(row) {
    const made = decided(row);
    const reason = make("textarea", { id: "reason", rows: 2, maxlength: LONGEST, placeholder: "Why? (r)", "aria-label": "Why this decision", change: () => {
      if (decided(row)) decide(decided(row).decision, false);
    } });
    reason.value = made?.reason || "";
    return make("section", { class: "panel decide", "aria-label": "Decision" },
      make("div", { class: "choices", role: "group", "aria-label": "What is it, as you see it?" }, Object.entries(DECISIONS).map(([name, [key, text, meaning]]) => make("button", {
        type: "button", class: `choice ${name}`, title: meaning, "aria-pressed": String(made?.decision === name), "aria-keyshortcuts": key,
        click: () => decide(name, false),
      }, make("kbd", { text: key }), ` ${text}`))),
      reason,
      made ? make("p", { class: "made-by", text: `${made.reviewer}, ${new Date(made.time).toLocaleString()}` }) : null);
  }
  function decide(decision, onwards) {
    const row = state.at;
    if (!row) return;
    if (!decisions.reviewer) {
      waiting = [decision, onwards];
      dialog.showModal();
      return;
    }
    const next = neighbour(1);
    decisions.set(row, decision, find("reason")?.value.trim());
    if (onwards && next && next !== row) {
      open(next).then(() => say(`${row.name}: ${DECISIONS[decision][1]}. Next: ${next.name}`));
      return;
    }
    refresh();
    const held = find("reason")?.closest(".decide"), pressed = held?.contains(document.activeElement);
    held?.replaceWith(formOf(row));
    if (pressed) document.querySelector('.choice[aria-pressed="true"]')?.focus({ preventScroll: true });
    say(`${row.name}: ${DECISIONS[decision][1]}`);
  }
  function neighbour(step) {
    const place = visible.indexOf(state.at);
    return visible[Math.min(Math.max(place + step, 0), visible.length - 1)];
  }
  function move(step) {
    const next = neighbour(step);
    if (next && next !== state.at) open(next);
  }
  function playOrStop() {
    const media = shown?.media;
    if (media) (media.paused ? media.play().catch(() => undefined) : media.pause());
  }
  function strongest() {
    const time = shown?.strongest();
    if (shown?.media && isNumber(time)) {
      shown.media.pause();
      shown.media.currentTime = time;
    }
  }
  function undo() {
    if (!state.at || !decided(state.at)) return;
    decisions.clear(state.at);
    open(state.at);
  }
  function hand() {
    const lines = decisions.lines(rows);
    if (!lines.length) return say("Nothing is decided yet.");
    download("decisions.jsonl", `${lines.join("\n")}\n`);
    say(`${many(lines.length, "decision")} written to decisions.jsonl`);
  }
  const shortcuts = {
    j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), " ": playOrStop, s: strongest,
    0: undo, r: () => find("reason")?.focus(), "/": () => find("search").focus(), x: hand, w: () => service || dialog.showModal(), "?": () => keys.showModal(),
    ...Object.fromEntries(Object.entries(DECISIONS).map(([name, [key]]) => [key, () => decide(name, true)])),
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select"), inside = event.target.closest?.("dialog");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing || inside || event.ctrlKey || event.metaKey || event.altKey || !(event.key in shortcuts)) return;
    if (event.key === " " && event.target.matches?.("button, summary, video, a")) return;
    if (event.key.startsWith("Arrow") && event.target.matches?.("video")) return;
    event.preventDefault();
    shortcuts[event.key]();
  });
  dialog.addEventListener("close", () => {
    if (dialog.contains(document.activeElement)) document.activeElement.blur(); // or the next key is taken for a letter of the name
    const name = find("name").value.trim();
    if (dialog.returnValue === "ok" && name) decisions.reviewer = name;
    refresh();
    if (waiting && decisions.reviewer && dialog.returnValue === "ok") decide(...waiting);
    waiting = null;
    dialog.returnValue = "";
  });
  for (const box of document.querySelectorAll("dialog")) box.querySelector(".close")?.addEventListener("click", () => box.close());
  find("change")?.addEventListener("click", () => dialog.showModal());
  find("help").addEventListener("click", () => keys.showModal());
  find("export").addEventListener("click", hand);
  find("load")?.addEventListener("change", async (event) => {
    const texts = await Promise.all([...event.target.files].map((file) => file.text()));
    const taken = texts.reduce((sum, text) => sum + decisions.load(text, rows), 0);
    event.target.value = "";
    refresh();
    if (state.at) await open(state.at);
    say(`${many(taken, "decision")} taken over; of two on one file the later counts`);
  });
  find("before").addEventListener("click", () => move(-1));
  find("next").addEventListener("click", () => move(1));
  find("back").addEventListener("click", () => {
    document.body.dataset.view = "list";
    list.querySelector("[aria-current]")?.focus();
  });
  find("search").addEventListener("input", (event) => {
    state.text = event.target.value.trim().toLowerCase();
    refresh(false);
  });
  find("order").append(...Object.entries(ORDERS).map(([name, [text]]) => make("option", { value: name, text })));
  find("order").addEventListener("change", (event) => {
    state.order = event.target.value;
    refresh(false);
  });
  find("turn").addEventListener("click", () => {
    state.backwards = !state.backwards;
    find("turn").setAttribute("aria-pressed", String(state.backwards));
    refresh(false);
  });
  find("only").addEventListener("change", (event) => {
    state.only = event.target.value;
    refresh(false);
  });
  find("earlier").addEventListener("click", () => turn(-PAGE));
  find("later").addEventListener("click", () => turn(PAGE));
  function turn(step) {
    state.first = Math.max(0, state.first + step);
    refresh();
    list.scrollTop = 0;
  }
  const counts = new Map();
  for (const row of rows) counts.set(row.verdict, (counts.get(row.verdict) || 0) + 1);
  const known = Object.keys(page.verdicts), found = [...known.filter((name) => counts.has(name)), ...[...counts.keys()].filter((name) => !known.includes(name))];
  const chips = found.map((name) => make("button", {
    type: "button", class: `chip ${told(page.verdicts, name, "plain")}`, "aria-pressed": "false", click: (event) => {
      const on = !state.verdicts.delete(name);
      if (on) state.verdicts.add(name);
      event.currentTarget.setAttribute("aria-pressed", String(on));
      refresh(false);
    },
  }, name, make("span", { class: "count", text: counts.get(name).toLocaleString("en") })));
  find("verdicts").append(...chips);
  refresh();
  if (service) {
    service.changed = () => refresh();
    service.begin(say, () => state.at);
  }
  if (visible.length) open(visible[0]);
}
