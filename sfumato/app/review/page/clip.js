// One file, told: its verdict, the player with the timeline under it, why, what each number means, its credential.
const OUTCOMES = {
  trusted: "The seal is intact and its signer leads to a root on your trust list.",
  untrusted: "The seal is intact: nothing changed since it was signed. Nobody on a trust list vouches for the signer.",
  invalid: "The seal does not hold: the file or its credential changed after signing.",
  none: "The file carries no credential. That proves nothing: re-encoding strips one.",
  unreadable: "The file could not be read.",
};
const SOURCES = {
  trainedAlgorithmicMedia: "made by a trained algorithm",
  compositeWithTrainedAlgorithmicMedia: "composed with parts made by a trained algorithm",
  digitalCapture: "captured by a camera",
};
const KINDS = { blend: "blending (a face pasted in)", synthesis: "synthesis (a face made as a whole)", motion: "motion (a face moved by a network)" };
const TOLD = new Set([
  "schema_version", "file", "media", "verdict", "meaning", "review", "score", "logit", "threshold", "status", "reasons", "notes",
  "frames", "timeline", "tracks", "provenance", "model", "timing", "explain", "scan", "stages",
]); // what this page has words for; the rest of a record is shown as it stands

const STAGES = {
  credential: ["its own credential", "Its frames were not looked at."],
  watermark: ["where its watermark leads", "The detector was not asked."],
  keyframes: ["a few keyframes", "Score, faces and timeline are theirs alone; a full look was not taken."],
  full: ["a full look", "All that a scan looks at was looked at."],
};

function verdictTag(name, tone) {
  return make("span", { class: `verdict ${tone || "plain"}`, text: name });
}

function clipOf(entry, page, options = {}) {
  const record = entry.record, explain = dictOf(record.explain);
  const player = playerOf(entry, { loop: options.loop });
  const timeline = timelineOf(record, player.media, entry.stripped);
  if (timeline) player.follow(timeline.follow);
  const article = make("article", { class: "clip", "aria-labelledby": `clip-${entry.id}` },
    make("div", { class: "label" },
      make("h2", { id: `clip-${entry.id}`, text: entry.label || entry.name }),
      make("p", { class: "file", text: entry.label ? entry.name : entry.folder }),
      make("p", {}, verdictTag(record.verdict, entry.tone), record.review ? make("span", { class: "look", text: "a person should look" }) : null),
      make("p", { class: "sentence", text: record.meaning }),
    ),
    player.figure,
    timeline ? make("div", { class: "panel under" }, timeline.figure, segmentsOf(record, timeline)) : null,
    options.form || null,
    whyOf(entry, record, explain),
    credentialOf(entry, page),
    Object.entries(record).filter(([name, value]) => !TOLD.has(name) && value !== null).map(sectionOf),
    numbersOf(record, explain),
    entry.stripped ? strippedOf(entry) : null,
    judgedOf(record),
    scanOf(record),
  );
  return {
    article, media: player.media,
    strongest: () => timeline?.highest[0],
    end() {
      player.end();
      timeline?.end();
    },
  };
}

function segmentsOf(record, timeline) {
  const threshold = dictOf(record.threshold).score;
  if (!isNumber(threshold)) return null;
  if (!timeline.above.length) return make("p", { class: "segments", text: "No looked-at moment alone is above the threshold." });
  const times = timeline.above.slice(0, 12).map(([first, last]) => (first === last ? seconds(first) : `${seconds(first)} to ${seconds(last)}`));
  const more = timeline.above.length > 12 ? ` and ${timeline.above.length - 12} more` : "";
  return make("p", { class: "segments", text: `Above the threshold, at the moments that were looked at: ${times.join(", ")}${more}.` });
}

function whyOf(entry, record, explain) {
  const reasons = listOf(record.reasons).filter((reason) => !(entry.label && /^(credential|watermark)/.test(reason.code)));
  const pictures = listOf(entry.heat), place = dictOf(explain.regions), areas = dictOf(explain.areas);
  return panel("Why", isNumber(record.score) ? `score ${score3(record.score)}` : "",
    explain.words ? make("p", { class: "words", text: explain.words }) : null,
    pictures.length ? make("div", { class: "heat" }, pictures.map(({ address, said }, number) => make("figure", {},
      make("img", { src: address, alt: `${number ? "Where it is seen" : "The frame that counts most"}: ${said}` }), make("figcaption", { text: said })))) : null,
    entry.sheet ? make("details", { class: "maps", open: true }, make("summary", { text: "Heat maps of the strongest frames" }),
      make("img", { class: "sheet", loading: "lazy", src: entry.sheet, alt: `The frames that count most in ${entry.name}, each beside its heat maps of blending and of synthesis` }),
      make("p", { class: "meaning", text: "Brighter places add more to the evidence, on one scale for the sheet. They are coarse, and show where the net looks, not what was done there." })) : null,
    Object.keys(place).length ? make("details", { class: "where" }, make("summary", { text: "Where in the face" }),
      make("table", {}, make("thead", {}, make("tr", {}, ["share of", "evidence", "picture"].map((text) => make("th", { scope: "col", text })))),
        make("tbody", {}, Object.entries(place).map(([name, share]) => make("tr", {},
          make("th", { scope: "row", text: told(REGIONS, name, name) }), make("td", { text: percent(share) }), make("td", { text: isNumber(areas[name]) ? percent(areas[name]) : "" })))))) : null,
    make("ul", { class: "reasons" },
      reasons.map((reason) => make("li", { text: reason.detail })),
      listOf(record.notes).map((note) => make("li", { text: note }))),
  );
}
const REGIONS = { forehead: "the forehead", eyes: "eyes and brows", nose: "the nose", mouth: "the mouth", cheeks: "cheeks and jaw", outside: "hair, neck, background" };

function numbersOf(record, explain) {
  const threshold = dictOf(record.threshold), frames = dictOf(record.frames), kind = dictOf(record.media).kind === "picture" ? "pictures" : "videos";
  const sources = Object.entries(dictOf(threshold.sources)), tracks = listOf(record.tracks);
  const reals = isNumber(threshold.n_real) ? `${threshold.n_real} real people` : "nobody knows how many reals";
  const rows = [
    ["score", isNumber(record.score) ? score3(record.score) : "none", isNumber(record.score)
      ? "The detector's calibrated probability for the face that scores highest. Not the chance that this file is a fake: that also depends on how many of your files are."
      : "Nothing was judged, for the reason given above. That is no result in either direction."],
    ["threshold", isNumber(threshold.score) ? threshold.score.toFixed(3) : null,
      `Of real ${kind} drawn like those it was set on, ${reals}, at most about ${percent(threshold.fpr || 0)} exceed it. It promises nothing of other footage, and does not say how many fakes stay below.`],
    ["logit", isNumber(record.logit) ? signed(record.logit) : null, "The same score before it is squashed into 0 to 1: it still tells apart what both round to 1.000."],
    ["frames", isNumber(frames.sampled) ? `${frames.with_face} of ${frames.sampled}` : null, "With a face large enough to be judged, of those looked at. The rest of the file was not looked at."],
    ...Object.entries(dictOf(explain.heads)).map(([name, head]) => [told(KINDS, name, name), `${head.level}${isNumber(head.logit) ? `, ${signed(head.logit)}` : ""}`,
      isNumber(head.above) && head.above > 0 ? `More than ${percent(head.above)} ${head.of || "of some of the real clips that it was calibrated on"} show.` : "No more than many real clips show."]),
  ];
  return make("details", { class: "panel folded" }, make("summary", {}, make("h3", { text: "What the numbers mean" })), facts(rows),
    sources.length ? make("details", {}, make("summary", { text: "How far the threshold holds, group by group" }), facts(sources.map(([name, group]) => {
      const carried = dictOf(dictOf(group).rates)[String(threshold.fpr)];
      return [name, `${group.n_real} people`, isNumber(carried) ? `A new real of this group exceeds it with a probability of at most ${percent(carried)}.` : "Not known at this rate."];
    }))) : null,
    tracks.length ? make("table", { class: "faces" }, make("caption", { text: "Faces, the highest score first" }),
      make("thead", {}, make("tr", {}, ["face", "seen", "frames", "size", "score"].map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, tracks.slice(0, 20).map((track) => make("tr", {},
        make("th", { scope: "row", text: track.id }), make("td", { text: `${seconds(track.t0)} to ${seconds(track.t1)}` }),
        make("td", { text: track.n }), make("td", { text: `${Math.round(track.size_px)} px` }), make("td", { text: score3(track.score) }))))) : null,
  );
}

function credentialOf(entry, page) {
  const found = dictOf(entry.credential || entry.record.provenance);
  const person = found.signer ? make("span", {}, found.signer, found.development ? make("em", { text: " a development key: anybody can make one" }) : null) : null;
  return panel("Credential", found.outcome,
    make("p", { text: told(OUTCOMES, found.outcome, "") }),
    facts([
      ["declares", listOf(found.declares).map((kind) => told(SOURCES, kind, kind)).join(", ")],
      ["its sources declare", listOf(found.ingredient_declares).map((kind) => told(SOURCES, kind, kind)).join(", ")],
      ["signer", person], ["issuer", found.issuer], ["title", found.title], ["made with", found.generator],
      ["time", found.time ? `${found.time}${found.time_source === "claimed" ? ", as the signer says" : ""}` : null],
      ["on an allowed list", found.allowed_list ? "yes" : null], ["C2PA codes", listOf(found.codes).join(", ")],
    ]),
    listOf(entry.sealed).length ? make("details", {}, make("summary", { text: "What was sealed in" }), facts(entry.sealed)) : null,
    entry.tree ? make("details", { class: "tree", open: page.layout === "list" }, make("summary", { text: "What it says, as a tree" }),
      make("p", { class: "meaning", text: "The file's own word, read when this page was made. Whether it counts, the line above says." }), branch(entry.tree)) : null,
  );
}

/** A section of the record, such as the watermark, in its own words: what was found, what that means, then the rest. */
function sectionOf([name, value]) {
  const { finding, meaning, certainty, ...rest } = dictOf(value), spoken = [meaning, certainty].filter((text) => typeof text === "string" && text);
  if (!spoken.length) return panel(words(name), "", outline(value));
  return panel(words(name), typeof finding === "string" ? finding : "", spoken.map((text) => make("p", { text })),
    make("details", {}, make("summary", { text: "In detail" }), outline(rest)));
}

function branch(node) {
  const head = make("span", {}, make("span", { class: "name", text: node.name }), node.said ? ` ${node.said}` : "");
  if (!listOf(node.parts).length) return make("div", { class: `leaf ${node.tone || ""}` }, head);
  return make("details", { class: "branch", open: node.open }, make("summary", {}, head), node.parts.map(branch));
}

function strippedOf(entry) {
  const record = entry.stripped, mark = dictOf(record.watermark);
  return panel("Without its credential", isNumber(record.score) ? `score ${score3(record.score)}` : "",
    make("p", {}, verdictTag(record.verdict, entry.stripped_tone)), make("p", { text: record.meaning }),
    mark.certainty ? make("p", { text: mark.certainty }) : null, facts([["manifest", dictOf(mark.manifest).id]]));
}

function judgedOf(record) {
  const file = dictOf(record.file), media = dictOf(record.media), model = dictOf(record.model), timing = dictOf(record.timing);
  return make("details", { class: "panel folded" }, make("summary", {}, make("h3", { text: "File, detector, time" })), facts([
    ["path", file.path], ["size", bytes(file.size)], ["SHA-256", file.sha256],
    ["medium", [media.kind, media.codec, media.container].filter(Boolean).join(", ")],
    ["picture", media.width ? `${media.width} x ${media.height}${isNumber(media.rate) ? `, ${Number(media.rate.toFixed(2))} frames/s` : ""}` : null],
    ["length", seconds(media.duration)], ["sound", media.audio === undefined ? null : media.audio ? "yes; it was not judged" : "no"],
    ["detector", model.name || model.sha256 ? [model.name, model.version, model.backend].filter(Boolean).join(", ") : null], ["its SHA-256", model.sha256],
    ["calibration", dictOf(record.threshold).calibration], ["took", isNumber(timing.total) ? `${seconds(timing.total)} of the detector` : null],
  ]));
}

/** When and how it was judged, and what decided. Null for a record of before, which says neither. */
function scanOf(record) {
  const scan = dictOf(record.scan), stages = dictOf(record.stages), options = Object.entries(dictOf(scan.options)).filter(([name]) => name !== "quick");
  const [decided, spared] = record.status === "error" ? [null, null] : told(STAGES, stages.decided, [stages.decided, null]);
  const table = facts([
    ["decided by", decided, spared], ["quick scan", stages.quick === undefined ? null : stages.quick ? "yes: it may end before the last stage" : "no"],
    ["took", Object.entries(dictOf(stages.seconds)).map(([name, spent]) => `${name} ${seconds(spent)}`).join(", ")],
    ["did not run", listOf(stages.not_run).join(", ")],
    ["judged", scan.time], ["program", scan.program ? `sfumato ${scan.program}` : null], ["digest of its calibration", scan.calibration],
    ...listOf(scan.trust).map((list) => [`SHA-256 of the list ${words(list.purpose)}`, list.sha256]),
    ...options.map(([name, value]) => [words(name), value === null ? null : outline(value)]),
  ]);
  return table ? make("details", { class: "panel folded scan" }, make("summary", {}, make("h3", { text: "How it was scanned" })), table) : null;
}
