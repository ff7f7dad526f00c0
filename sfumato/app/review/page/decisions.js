// What a reviewer decides: kept in this browser, one item a file and by its content, and handed on as JSON lines.
const DECISIONS = {
  real: ["1", "Camera footage", "A camera took what is to be seen."],
  generated: ["2", "Generated", "A network made the face as a whole, or moved it."],
  manipulated: ["3", "Manipulated", "A real recording with a face, mouth or part exchanged."],
  unsure: ["4", "Cannot tell", "Looked at, and undecided: no label."],
};
const LONGEST = 2000;
const DECISION_SCHEMA = 1;

function decisionsOf(said, service) {
  const kept = new Map(service ? Object.entries(service.decisions) : []);
  const prefix = "sfumato decision ";
  let lasting = true;
  try {
    for (let place = 0; !service && place < localStorage.length; place += 1) {
      const name = localStorage.key(place);
      if (name.startsWith(prefix)) take(name.slice(prefix.length), localStorage.getItem(name));
    }
  } catch {
    lasting = false;
  }

  function take(key, text) {
    try {
      const found = JSON.parse(text);
      if (found && Object.hasOwn(DECISIONS, found.decision)) kept.set(key, found);
    } catch { /* not ours: passed over */ }
  }
  function keep(name, value) {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      if (lasting) said("This browser keeps nothing: export before you close the page.");
      lasting = false;
    }
  }
  /** To the service; what it does not take is as it was before. */
  function hand(row, before, call) {
    const now = kept.get(row.key);
    call.then((line) => {
      if (line && kept.get(row.key) === now) kept.set(row.key, line);
    }).catch((error) => {
      if (before) kept.set(row.key, before);
      else kept.delete(row.key);
      said(`Not saved: ${error.message}`);
      service.changed();
    });
  }
  function reviewer() {
    if (service) return service.reviewer;
    try {
      return localStorage.getItem("sfumato reviewer") || given;
    } catch {
      return given;
    }
  }
  let given = "";
  return {
    get: (key) => kept.get(key),
    get lasting() { return lasting; },
    get reviewer() { return reviewer(); },
    set reviewer(name) {
      given = name;
      keep("sfumato reviewer", name);
    },
    set(row, decision, reason) {
      const found = {
        schema: DECISION_SCHEMA, path: row.path, sha256: row.sha256, decision, reviewer: reviewer().slice(0, 200), time: new Date().toISOString(),
        reason: (reason || "").slice(0, LONGEST), verdict: row.verdict, score: row.score, model: row.model,
      };
      const before = kept.get(row.key);
      kept.set(row.key, found);
      if (service) hand(row, before, service.keep(row, found));
      else keep(prefix + row.key, JSON.stringify(found));
    },
    clear(row) {
      const before = kept.get(row.key);
      kept.delete(row.key);
      if (service) hand(row, before, service.clear(row));
      else keep(prefix + row.key, null);
    },
    lines: (rows) => {
      const done = new Set();
      return rows.filter((row) => kept.has(row.key) && !done.has(row.key) && done.add(row.key)).map((row) => JSON.stringify({ ...kept.get(row.key), path: row.path }));
    },
    /** Lines of an export, of this page or of another reviewer's; the later decision on a file counts. */
    load(text, rows) {
      const known = new Map(rows.map((row) => [row.key, row]));
      let taken = 0;
      for (const line of text.split("\n").filter((each) => each.trim())) {
        let found = null;
        try { found = JSON.parse(line); } catch { continue; }
        const key = found && String(found.sha256 || found.path);
        if (!known.has(key) || !Object.hasOwn(DECISIONS, found.decision) || Number.isNaN(Date.parse(found.time))) continue;
        const mine = kept.get(key);
        if (mine && Date.parse(mine.time) >= Date.parse(found.time)) continue;
        const cut = (value, most) => (typeof value === "string" ? value.slice(0, most) : "");
        const clean = { ...found, reviewer: cut(found.reviewer, 200), reason: cut(found.reason, LONGEST) };
        kept.set(key, clean);
        keep(prefix + key, JSON.stringify(clean));
        taken += 1;
      }
      return taken;
    },
  };
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(address), 10000);
}
