// The study: one question after the other, by keyboard or by hand; each answer is kept as it is given.
const page = JSON.parse(document.getElementById("data").textContent);
const find = (name) => document.getElementById(name);
const store = storeOf(page), questions = new Map(page.questions.map((question) => [question.number, question]));
let state = null, stage = null, ahead = null, choice = null, since = null, open = false; // since: the clock runs; open: the clips are there

function say(text, seen = false) {
  find("said").textContent = text;
  find("said").classList.toggle("seen", seen);
}
function view(name) {
  for (const each of ["start", "asking", "end"]) find(each).hidden = each !== name;
  document.body.dataset.view = name;
  window.scrollTo(0, 0);
}
function keep() {
  if (!store.keep(state)) window.setTimeout(say, 0, "This browser keeps nothing: answer all questions in one go.", true);
}

/** Seconds on this question, without those while the page was out of sight. */
function spent() {
  return state.spent + (since === null ? 0 : (performance.now() - since) / 1000);
}
function halt() {
  if (!state || since === null) return;
  state.spent = spent();
  since = null;
  keep();
}
function prepared(at) {
  const asked = state.asked[at];
  if (!asked) return null;
  return stageOf(questions.get(asked.question), asked.shown, choose);
}
function ask() {
  const at = state.answers.length;
  stage?.end();
  choice = since = null;
  open = false;
  if (at >= state.asked.length) return finish();
  const current = stage = ahead || prepared(at);
  ahead = null;
  view("asking");
  find("choices").replaceChildren(...current.cards);
  find("count").textContent = `${at + 1} of ${state.asked.length}`;
  find("bar").value = at;
  find("next").disabled = true;
  find("next").textContent = at + 1 === state.asked.length ? "Finish" : "Next";
  find("stop").textContent = "Stop";
  find("question").focus({ preventScroll: true });
  say(`Question ${at + 1} of ${state.asked.length}`);
  current.loaded.then(() => {
    if (stage !== current) return;
    open = true;
    current.play();
    if (document.visibilityState === "visible") since = performance.now();
    ahead = prepared(at + 1);
  }).catch(() => {
    if (stage !== current) return;
    say("A clip of this question cannot be played: go on without an answer.", true);
    choice = null;
    find("next").disabled = false;
    find("next").textContent = "Skip";
  });
}
function choose(name) {
  if (!open) return stage?.mark(null); // the clips are not there yet
  choice = name;
  stage.mark(name);
  find("next").disabled = false;
}
function pick(place) {
  const { shown } = state.asked[state.answers.length];
  if (place >= shown.length) return;
  choose(shown[place]);
  if (choice === shown[place]) stage.focus(choice);
}
function next() {
  if (find("next").disabled) return;
  const asked = state.asked[state.answers.length], seconds = Number(spent().toFixed(3));
  find("next").disabled = true;
  state.answers.push({ ...asked, chosen: choice, seconds });
  state.spent = 0;
  since = null;
  keep();
  ask();
}
function finish() {
  stage = ahead = null;
  open = false;
  const done = state.answers.length, all = state.asked.length;
  view("end");
  find("end-lead").textContent = `${done === all ? `All ${all} questions are answered.` : `${done} of ${all} questions are answered.`} Save your answers and give the file to whoever gave you this page: nothing has been sent.`;
  find("text").value = asText(page, state);
  find("end-title").focus({ preventScroll: true });
  say("Done. Save your answers.");
}
function start() {
  const kept = store.read(), done = kept?.answers.length ?? 0;
  state = null;
  view("start");
  find("consent").checked = Boolean(done);
  find("begin").disabled = !done;
  find("begin").textContent = !done ? "Begin" : done < kept.asked.length ? "Go on" : "To my answers";
  find("kept").textContent = done ? `This browser holds ${done} of ${kept.asked.length} answers of this study.` : "";
  find("anew").hidden = !done;
  find("anew").textContent = "Start anew, as somebody else";
  find("leave").hidden = !done || done === kept.asked.length;
}
function begin() {
  state = store.read();
  if (!state?.answers.length) state = begun(page);
  keep();
  ask();
}
/** Deletes what is kept; asked twice. */
function wipe(button) {
  if (button.dataset.asked) {
    delete button.dataset.asked;
    store.keep(null);
    start();
    say("The answers are deleted.", true);
  } else {
    button.dataset.asked = "yes";
    button.textContent = "Delete the answers kept here? Press again";
  }
}
async function copy() {
  const text = find("text");
  try {
    await navigator.clipboard.writeText(text.value);
    say("Copied.", true);
  } catch {
    text.closest("details").open = true;
    text.focus();
    text.select();
    say("Copy the text that is marked.", true);
  }
}
function toggle() {
  stage.toggle();
  find("stop").textContent = stage.running ? "Stop" : "Play";
}
function again() {
  stage.again();
  find("stop").textContent = "Stop";
}

const keys = { 1: () => pick(0), 2: () => pick(1), 3: () => pick(2), Enter: next, " ": again, p: toggle, P: toggle };
document.addEventListener("keydown", (event) => {
  const on = event.target, button = on.matches?.("button, summary, textarea"), unchosen = on.matches?.("input[type=radio]:not(:checked)");
  if (!stage || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  if ((event.key === " " && (button || unchosen)) || (event.key === "Enter" && button)) return; // the browser's own
  event.preventDefault();
  keys[event.key]();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") halt();
  else if (open) since ??= performance.now();
});
window.addEventListener("pagehide", halt);
find("choices").addEventListener("submit", (event) => event.preventDefault());
find("consent").addEventListener("change", (event) => { find("begin").disabled = !event.target.checked; });
find("begin").addEventListener("click", begin);
find("leave").addEventListener("click", () => {
  state = store.read();
  finish();
});
for (const name of ["anew", "clear"]) find(name).addEventListener("click", (event) => wipe(event.currentTarget));
find("again").addEventListener("click", again);
find("stop").addEventListener("click", toggle);
find("next").addEventListener("click", next);
find("save").addEventListener("click", () => save(`answers-${state.participant}.json`, asText(page, state), "application/json"));
find("table").addEventListener("click", () => save(`answers-${state.participant}.csv`, asTable(page, state), "text/csv"));
find("copy").addEventListener("click", copy);
start();
