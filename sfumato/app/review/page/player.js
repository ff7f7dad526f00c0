// A video or picture with the boxes of the faces that were judged, each with its score at that moment.
const ABSENT = {
  elsewhere: "The file lies under an address, and this page loads nothing from outside.",
  frames: "A folder of frames: there is no player for those.",
  missing: "The file is not where its record says; this page would play it from there.",
};

function boxAt(frames, time, slack) {
  const after = frames.findIndex((frame) => frame.t >= time);
  const next = after < 0 ? frames[frames.length - 1] : frames[after];
  const before = after > 0 ? frames[after - 1] : next;
  if (time < frames[0].t - slack || time > frames[frames.length - 1].t + slack) return null;
  const share = next.t > before.t ? Math.min(Math.max((time - before.t) / (next.t - before.t), 0), 1) : 0;
  const nearest = share < 0.5 ? before : next;
  return { box: before.box.map((value, place) => value + share * (next.box[place] - value)), score: nearest.score };
}

function facesOf(record) {
  return listOf(record.tracks).map((track) => ({
    id: track.id,
    frames: listOf(track.frames).filter((frame) => isNumber(frame.t) && listOf(frame.box).length === 4 && frame.box.every(isNumber)),
  })).filter((face) => face.frames.length);
}

function playerOf(entry, options = {}) {
  const record = entry.record, media = dictOf(record.media);
  if (!entry.address) return { figure: make("div", { class: "player empty" }, make("p", { text: told(ABSENT, entry.absent, "") })), media: null, follow() {}, end() {} };
  const still = media.kind === "picture";
  const shown = still
    ? make("img", { src: entry.address, alt: `The picture ${entry.name}` })
    : make("video", { src: entry.address, controls: true, muted: true, loop: options.loop, playsinline: true, preload: "auto", "aria-label": entry.label || entry.name });
  if (!still) shown.muted = true;
  const width = media.width || 1, height = media.height || 1;
  const boxes = drawn("svg", { class: "boxes", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const frame = make("div", { class: "frame" }, shown, boxes);
  const note = make("p", { class: "note", hidden: true, text: "The browser cannot show this file; another program may." });
  const figure = make("div", { class: `player ${still ? "still" : "moving"}` }, frame, note);
  const faces = media.width && media.height ? facesOf(record) : [];
  const spacing = faces.flatMap(({ frames }) => frames.slice(1).map((next, place) => next.t - frames[place].t)).sort((a, b) => a - b);
  const slack = spacing.length ? Math.max(spacing[spacing.length >> 1] / 2, 0.05) : Infinity;
  const threshold = dictOf(record.threshold).score;
  const marks = faces.map((face, number) => {
    const rectangle = drawn("rect", { class: number ? "box other" : "box" }), text = drawn("text", { class: "score", "font-size": Math.max(width, height) / 24 });
    boxes.append(rectangle, text);
    return { face, rectangle, text };
  });
  if (media.width && media.height) frame.dataset.shape = height > width ? "tall" : "wide";
  let running = true, after = () => undefined;

  function place() {
    const time = still ? 0 : shown.currentTime;
    for (const { face, rectangle, text } of marks) {
      const found = boxAt(face.frames, time, slack);
      rectangle.style.display = text.style.display = found ? "" : "none";
      if (!found) continue;
      const [left, top, wide, high] = found.box;
      for (const [name, value] of Object.entries({ x: left, y: top, width: wide, height: high })) rectangle.setAttribute(name, Math.max(value, 0));
      rectangle.classList.toggle("flagged", isNumber(threshold) && found.score > threshold);
      text.setAttribute("x", Math.max(left, 2));
      text.setAttribute("y", top > height / 16 ? top - height / 90 : Math.min(top + high + height / 22, height - 2));
      text.textContent = isNumber(found.score) ? `${faces.length > 1 ? `face ${face.id}: ` : ""}${found.score.toFixed(2)}` : "";
    }
    after();
  }
  function loop() {
    place();
    if (running && !shown.paused) window.requestAnimationFrame(loop);
  }
  shown.addEventListener("error", () => {
    note.hidden = false;
    frame.hidden = true;
  });
  if (still) shown.addEventListener("load", place);
  else {
    shown.addEventListener("play", loop);
    for (const moved of ["loadeddata", "seeking", "seeked", "timeupdate"]) shown.addEventListener(moved, place);
  }
  place();
  return {
    figure, media: still ? null : shown,
    follow(call) { after = call; },
    end() {
      running = false;
      if (!still) shown.pause();
    },
  };
}
