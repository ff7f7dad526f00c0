// What a participant chose: kept in this browser, where that is allowed, and handed on as a file.
const FORMAT = "sfumato-study-answers-1";

function chance(below) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % below;
}

function shuffled(items) {
  const mixed = [...items];
  for (let place = mixed.length - 1; place > 0; place -= 1) {
    const other = chance(place + 1);
    [mixed[place], mixed[other]] = [mixed[other], mixed[place]];
  }
  return mixed;
}

/** A participant's own order of questions and of clips: nobody's habit falls on the same clips as another's. */
function begun(page) {
  const code = [...crypto.getRandomValues(new Uint8Array(8))].map((value) => value.toString(16).padStart(2, "0")).join("");
  const asked = shuffled(page.questions).map(({ number, clips }) => ({ question: number, shown: shuffled(clips.map(({ name }) => name)) }));
  return { participant: code, asked, answers: [], spent: 0 };
}

function storeOf(page) {
  const place = `sfumato study ${page.study}`;
  const clips = new Map(page.questions.map((question) => [question.number, question.clips.map(({ name }) => name).sort().join()]));

  function whole(found) {
    const asked = listOf(found?.asked), answers = listOf(found?.answers);
    return /^[0-9a-f]{16}$/.test(found?.participant) && isNumber(found.spent) && asked.length === page.questions.length && answers.length <= asked.length
      && new Set(asked.map(({ question }) => question)).size === asked.length
      && asked.every(({ question, shown }) => clips.get(question) === [...listOf(shown)].sort().join())
      && answers.every((answer, at) => answer.question === asked[at].question && isNumber(answer.seconds) && (answer.chosen === null || asked[at].shown.includes(answer.chosen)));
  }
  return {
    read() {
      try {
        const found = JSON.parse(localStorage.getItem(place));
        return whole(found) ? found : null;
      } catch {
        return null; // nothing, or nothing of ours
      }
    },
    /** Whether this browser keeps it. */
    keep(state) {
      try {
        if (state) localStorage.setItem(place, JSON.stringify(state));
        else localStorage.removeItem(place);
        return true;
      } catch {
        return false;
      }
    },
  };
}

function asText(page, state) {
  const { participant, answers } = state;
  return `${JSON.stringify({ format: FORMAT, study: page.study, participant, questions: page.questions.length, answers }, null, 1)}\n`;
}

function asTable(page, state) {
  const names = Array.from({ length: page.choices }, (_, place) => `shown_${place + 1}`);
  const rows = state.answers.map(({ question, shown, chosen, seconds }) => [page.study, state.participant, question, chosen ?? "", seconds, ...shown]);
  return [["study", "participant", "question", "chosen", "seconds", ...names], ...rows].map((row) => `${row.join(",")}\r\n`).join("");
}

function save(name, text, kind) {
  const address = URL.createObjectURL(new Blob([text], { type: kind }));
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(address), 10000);
}
