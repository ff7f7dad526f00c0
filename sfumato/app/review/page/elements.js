// Elements of the page. Foreign text only ever becomes the text of a node or the value of an attribute, never markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function drawn(tag, attributes = {}) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const listOf = (value) => (Array.isArray(value) ? value : []);
const dictOf = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});
const score3 = (value) => (isNumber(value) ? value.toFixed(3) : "none");
const signed = (value) => (isNumber(value) ? (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2) : "none");
const percent = (share) => `${Number((100 * share).toPrecision(3))} %`;
const many = (count, one) => `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
const told = (table, name, otherwise) => (Object.hasOwn(table, name) ? table[name] : otherwise);
const words = (name) => String(name).replaceAll("_", " ");

function seconds(value) {
  if (!isNumber(value)) return "";
  if (value < 60) return `${Number(value.toFixed(2))} s`;
  const whole = Math.floor(value), minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes}:${String(whole % 60).padStart(2, "0")}`;
}

function bytes(size) {
  if (!isNumber(size)) return "";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = size < 1000 ? 0 : Math.min(Math.floor(Math.log10(size) / 3), units.length - 1);
  return `${Number((size / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

/** A list of names and values; rows without a value are left out. A third part says what the number means. */
function facts(rows, kind = "facts") {
  const kept = rows.filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (!kept.length) return null;
  return make("dl", { class: kind }, kept.map(([name, value, meaning]) => [
    make("dt", { text: name }),
    make("dd", {}, value, meaning ? make("span", { class: "meaning", text: meaning }) : null),
  ]));
}

function panel(title, tag, ...children) {
  return make("section", { class: "panel" }, make("h3", {}, title, tag ? make("span", { class: "tag", text: tag }) : null), children);
}

/** Whatever a record holds that this page has no words for: names and values, nested. */
function outline(value, depth = 0) {
  if (value === null || value === undefined) return "none";
  if (typeof value !== "object") return String(value);
  const rows = Array.isArray(value) ? value.map((item, place) => [String(place + 1), item]) : Object.entries(value);
  if (!rows.length) return "none";
  if (rows.every(([, item]) => item === null || typeof item !== "object") && Array.isArray(value)) return value.join(", ");
  if (depth > 6) return JSON.stringify(value);
  return facts(rows.map(([name, item]) => [words(name), outline(item, depth + 1)]));
}
