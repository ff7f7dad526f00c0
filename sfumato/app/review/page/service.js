// The page as a service shows it: records, files and decisions go over its API, and the browser keeps nothing.
function serviceOf(page) {
  const jobs = new Map(page.rows.map((row) => [row.at, row.job]));
  const address = (row, part = "") => `v1/jobs/${row.job ?? jobs.get(row.at)}${part}`;

  async function call(method, where, body, type) {
    const headers = { "X-Sfumato": "page", ...(type ? { "Content-Type": type } : {}) };
    const answer = await fetch(where, { method, headers, body, credentials: "same-origin", redirect: "error" });
    if (answer.ok) return answer.status === 204 ? null : answer.json();
    const told = await answer.json().catch(() => ({}));
    throw new Error(told.message || `The service answers ${answer.status}.`);
  }
  async function judged(job) {
    for (let pause = 500; ; pause = Math.min(pause * 1.3, 5000)) {
      const found = await call("GET", `v1/jobs/${job}`);
      if (found.state === "done") return found;
      await new Promise((resolve) => { window.setTimeout(resolve, pause); });
    }
  }
  return {
    reviewer: page.service.reviewer,
    decisions: page.service.decisions,
    changed: () => undefined,
    entry: (row) => call("GET", `review/entries/${row.job}`),
    keep: (row, found) => call("PUT", address(row, "/decision"), JSON.stringify({ decision: found.decision, reason: found.reason }), "application/json"),
    clear: (row) => call("DELETE", address(row, "/decision")),
    /** Uploads, deletion and the end of the session. `chosen` gives the row that is looked at. */
    begin(say, chosen) {
      const find = (name) => document.getElementById(name);
      const failed = (error) => say(`Not done: ${error.message}`);
      find("upload").addEventListener("change", async (event) => {
        const files = [...event.target.files];
        event.target.value = "";
        try {
          for (const file of files) {
            say(`Sending ${file.name}`);
            const job = await call("POST", `v1/jobs?name=${encodeURIComponent(file.name)}`, file, "application/octet-stream");
            say(`Judging ${file.name}`);
            await judged(job.id);
          }
          window.location.reload();
        } catch (error) { failed(error); }
      });
      find("delete").addEventListener("click", () => {
        if (!chosen()) return;
        find("sure-title").textContent = `Delete ${chosen().name}?`;
        find("sure").showModal();
      });
      find("sure").addEventListener("close", async () => {
        const row = chosen(), sure = find("sure").returnValue === "ok";
        find("sure").returnValue = "";
        if (!sure || !row) return;
        try {
          await call("DELETE", address(row));
          window.location.reload();
        } catch (error) { failed(error); }
      });
      find("leave").addEventListener("click", async () => {
        try {
          await call("POST", "logout");
          window.location.assign("login");
        } catch (error) { failed(error); }
      });
    },
  };
}
