// Where the records come from: all of them in this page, or a part at a time from the pages beside it.
// A part is a page in a frame that may do nothing but hand its text over; so nothing foreign ever runs here, from a
// disk as little as from a server. Where a service shows the page, it is asked for each record.
const PARTS = 4; // kept at once

function entriesOf(page, say, service) {
  if (service) return { get: (row) => service.entry(row).catch((error) => { say(error.message); return null; }) };
  if (page.entries) return { get: async (row) => page.entries[row.at] };
  const parts = new Map();

  function load(number) {
    if (!parts.has(number)) {
      parts.set(number, new Promise((resolve) => {
        const frame = make("iframe", { src: `${page.folder}/${number}.html`, sandbox: "allow-scripts", hidden: true, title: "records", "aria-hidden": "true" });
        const end = (found) => {
          window.removeEventListener("message", heard);
          window.clearTimeout(late);
          frame.remove();
          resolve(found);
        };
        const heard = (event) => {
          if (event.source === frame.contentWindow && typeof event.data === "string") end(JSON.parse(event.data));
        };
        const give = () => {
          parts.delete(number);
          say("A part of the report could not be read.");
          end(null);
        };
        let late = window.setTimeout(give, 15000);
        frame.addEventListener("load", () => { // a page that is not there loads, too, and says nothing
          window.clearTimeout(late);
          late = window.setTimeout(give, 2000);
        });
        window.addEventListener("message", heard);
        document.body.append(frame);
      }));
      for (const old of [...parts.keys()].slice(0, Math.max(0, parts.size - PARTS))) parts.delete(old);
    }
    return parts.get(number);
  }
  return {
    async get(row) {
      const number = Math.floor(row.at / page.part);
      const found = await load(number);
      if (found && row.at % page.part > page.part - 3 && (number + 1) * page.part < page.rows.length) load(number + 1);
      return found ? found[row.at % page.part] : null;
    },
  };
}
