// The clips of one question: side by side, playing together, all as long as the shortest of them.
function stageOf(question, names, chosen) {
  const addresses = new Map(question.clips.map(({ name, address }) => [name, address]));
  const cards = names.map((name, place) => {
    const video = make("video", { src: addresses.get(name), muted: true, playsinline: true, preload: "auto", disablepictureinpicture: true, "aria-label": `Clip ${place + 1}` });
    video.muted = true;
    const radio = make("input", { type: "radio", name: "choice", value: name, id: `clip-${place + 1}`, class: "apart", "aria-label": `Clip ${place + 1} is the fake` });
    const fault = make("span", { class: "fault", hidden: true, text: "This clip cannot be played." });
    const frame = make("span", { class: "frame" }, video, fault);
    const card = make("label", { class: "choice" }, radio, frame, make("span", { class: "tag" }, make("kbd", { text: place + 1 }), make("span", { class: "word", text: `Clip ${place + 1}` })));
    radio.addEventListener("change", () => chosen(name));
    return { name, video, radio, card, frame, fault };
  });
  const videos = cards.map(({ video }) => video), length = question.seconds;
  let running = false, turning = false, over = false;

  const loaded = Promise.all(cards.map(({ video, fault }) => new Promise((resolve, reject) => {
    if (video.readyState >= 3) resolve();
    video.addEventListener("canplay", resolve, { once: true });
    video.addEventListener("error", () => {
      fault.hidden = false;
      reject(new Error("a clip cannot be played"));
    }, { once: true });
  })));
  loaded.catch(() => undefined); // whoever waits for it is told
  for (const { frame } of cards) {
    frame.style.setProperty("--shape", question.width / question.height);
    frame.style.setProperty("--choices", cards.length);
  }

  function rewound(video) {
    if (video.currentTime === 0) return Promise.resolve();
    return new Promise((resolve) => {
      video.addEventListener("seeked", resolve, { once: true });
      video.currentTime = 0;
    });
  }
  /** From the beginning, none before all are there. */
  async function restart() {
    if (turning || over) return;
    turning = true;
    for (const video of videos) video.pause();
    await Promise.all(videos.map(rewound));
    turning = false;
    if (running && !over) for (const video of videos) video.play().catch(() => undefined);
  }
  function watch() {
    if (over) return;
    if (running && !turning && videos.some((video) => video.ended || video.currentTime >= length)) restart();
    window.requestAnimationFrame(watch);
  }
  return {
    cards: cards.map(({ card }) => card), loaded, length,
    get running() { return running; },
    play() {
      running = true;
      watch();
      return restart();
    },
    again() {
      running = true;
      return restart();
    },
    toggle() {
      running = !running;
      for (const video of videos) running ? video.play().catch(() => undefined) : video.pause();
    },
    mark(name) {
      for (const each of cards) {
        each.radio.checked = each.name === name;
        each.card.classList.toggle("chosen", each.name === name);
        each.card.querySelector(".word").textContent = `Clip ${cards.indexOf(each) + 1}${each.name === name ? " is the fake" : ""}`;
      }
    },
    focus(name) { cards.find((each) => each.name === name)?.radio.focus({ preventScroll: true }); },
    end() {
      over = true;
      running = false;
      for (const video of videos) video.pause();
    },
  };
}
