const SECONDS_TO_GUESS = 12;
const VIEWS = [];

/** One figure of the page: title, words, a guess, what it shows, its controls and its equations. */
class Figure {
  constructor(page, view) {
    Object.assign(this, { page, view, host: page.host, visible: false, playing: false, busy: false, begun: false, waited: 0 });
    this.message = h("p", { class: "message", role: "status", hidden: true });
    this.buttons = h("div", { class: "buttons" });
    this.act = view.build(this);
    this.element = h(
      "section",
      { class: "view", id: `view-${view.id}`, "aria-labelledby": `title-${view.id}`, tabindex: "-1" },
      h("h2", { id: `title-${view.id}` }, h("a", { class: "figure-number", href: `#view=${view.id}`, title: "A link to this figure", onclick: (e) => { e.preventDefault(); this.share(); } }, String(view.number)), view.title),
      view.words.map((words) => h("p", { class: "words" }, prose(words))),
      this.guess(view.guess),
      h("figure", {}, this.act.element, this.controls(), this.message),
      view.after ? h("p", { class: "words after" }, prose(view.after)) : null,
      this.equations(view.equations),
    );
  }

  // -- the guess

  guess(guess) {
    if (!guess) return null;
    const answer = h("p", { class: "answer", "aria-live": "polite" }, h("span", {}, prose(guess.answer)));
    const line = h("span", { class: "waiting", "aria-hidden": "true" });
    const buttons = guess.options.map((option, i) => h("button", { type: "button", onclick: () => this.answered(i) }, prose(option)));
    this.asked = h("div", { class: "guess" }, h("p", { class: "question" }, h("b", {}, "Guess first. "), prose(guess.question)), h("div", { class: "options" }, buttons), line, answer);
    this.asked.options = buttons;
    return this.asked;
  }

  answered(chosen = null) {
    if (!this.asked || this.isAnswered) return;
    this.isAnswered = true;
    this.asked.classList.add("answered");
    this.asked.options.forEach((button, i) => {
      button.disabled = true;
      if (i === this.view.guess.right) button.classList.add("right");
      if (i === chosen) button.classList.add("chosen");
    });
    if (this.view.guess.first && this.begun && !this.page.still && !this.playing) this.play();
  }

  /** Nobody has to guess: after a while in view the answer shows itself, unless a pointer rests on the question. */
  wait(seconds) {
    if (!this.asked || this.isAnswered || this.asked.matches(":hover, :focus-within")) return;
    this.waited += seconds;
    this.asked.style.setProperty("--waited", Math.min(1, this.waited / SECONDS_TO_GUESS));
    if (this.waited > SECONDS_TO_GUESS) this.answered();
  }

  // -- controls

  controls() {
    const { act } = this;
    const button = (words, key, click, title) => h("button", { type: "button", class: key, onclick: click, title }, words);
    if (act.tick) {
      this.playButton = button("Play", "play", () => this.toggle(), "Play or pause (space)");
      this.buttons.append(this.playButton);
    }
    if (act.step) this.buttons.append(button("Step", "step", () => this.step(), "One step (→)"));
    if (act.reset) this.buttons.append(button("Reset", "reset", () => this.reset(), "Back to the same initial weights and seed (r)"));
    if (act.extra) this.buttons.append(...act.extra);
    if (act.world && !act.ownSeed) {
      this.seedBox = h("input", { type: "number", min: 0, max: 4294967295, step: 1, value: act.world().seed, "aria-label": "seed", onchange: () => this.reseed() });
      this.buttons.append(h("label", { class: "seed" }, "seed", this.seedBox));
    }
    this.buttons.append(h("span", { class: "spring" }), button("Link", "share", () => this.share(), "Copy a link to what this figure shows"));
    if (act.world) this.buttons.append(button("Python", "python", () => this.python(), "Copy as Python: a script that gives what this figure shows, to the bit"));
    return this.buttons;
  }

  equations(equations) {
    if (!equations) return null;
    this.equationBoxes = equations.map(({ number, text, live, docs }) => {
      const where = typeof number === "number" ? `Eq ${number}` : number;
      const link = this.page.docs !== null ? h("a", { href: `${this.page.docs}paper.html#${docs}`, target: "_blank", rel: "noopener" }, where) : h("span", {}, where);
      return h("div", { class: "equation" }, h("div", { class: "law" }, formula(text), h("span", { class: "where" }, link)), live ? h("div", { class: "live", "data-live": live }) : null);
    });
    return h("div", { class: "equations" }, this.equationBoxes);
  }

  /** Fill an equation's numbers in: the words of `parts` in a row, those of [kind, words] in their colour. */
  live(key, ...parts) {
    const box = this.element?.querySelector(`[data-live="${key}"]`);
    if (!box) return;
    const text = parts.map((part) => (Array.isArray(part) ? part[1] : part)).join("");
    if (box.dataset.text === text) return;
    box.dataset.text = text;
    box.replaceChildren(...parts.map((part) => (Array.isArray(part) ? h("b", { class: part[0] }, part[1]) : formula(part))));
  }

  readout(label, options) {
    const box = readout(label, options);
    box.addEventListener("click", () => {
      const equation = this.equationBoxes?.[options?.equation ?? 0];
      if (!equation) return;
      equation.classList.remove("called");
      void equation.offsetWidth; // begins its animation anew
      equation.classList.add("called");
      equation.scrollIntoView({ block: "nearest", behavior: this.page.still ? "auto" : "smooth" });
    });
    return box;
  }

  // -- life

  /** Do something with the host; what goes wrong is a sentence under the figure. */
  async run(work) {
    try {
      const result = await work();
      if (!this.message.hidden) this.message.hidden = true;
      return result;
    } catch (error) {
      this.pause();
      this.say(error.message, true);
      if (error.lost) this.page.lost(error.message);
      return undefined;
    }
  }

  say(words, wrong = false) {
    this.message.textContent = words;
    this.message.classList.toggle("wrong", wrong);
    this.message.hidden = false;
  }

  async enter() {
    this.visible = true;
    this.page.wake();
    if (!this.begun) {
      this.begun = true;
      const link = this.page.linkFor(this);
      this.busy = true;
      await this.run(async () => {
        const wrong = link && this.act.restore ? await this.follow(link) : await this.act.start?.();
        if (this.seedBox) this.seedBox.value = this.act.world().seed;
        if (link) this.answered();
        if (wrong) this.say(wrong, true);
        this.ready = true;
        this.element.dataset.ready = "";
        if (!link && !this.page.still && this.act.tick && !(this.view.guess?.first && !this.isAnswered)) this.play();
      });
      this.busy = false;
    } else if (this.resume) {
      this.play();
    }
  }

  /** Come to the state of a link; from one that leads nowhere, to the beginning, with a sentence that says so. */
  async follow(link) {
    try {
      await this.act.restore(link);
      return null;
    } catch (error) {
      if (error.lost) throw error;
      await this.act.start?.();
      return `The link does not lead to a state of this figure, which is at its beginning: ${error.message}`;
    }
  }

  leave() {
    this.visible = false;
    this.resume = this.playing;
    this.pause();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
    this.resume = false;
  }

  play() {
    if (!this.act.tick || this.playing) return;
    this.anew = true;
    this.playing = true;
    this.element.dataset.playing = "";
    this.last = null;
    if (this.playButton) this.playButton.textContent = "Pause";
    this.page.wake();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    delete this.element.dataset.playing;
    if (this.playButton) this.playButton.textContent = "Play";
    if (!this.stopping) this.atWork(+1);
    this.stopping = true;
    if (!this.busy) this.stopped();
  }

  /** Called once a picture while in view. One piece of work is under way at a time. */
  frame(seconds) {
    this.wait(seconds);
    if (!this.playing || this.busy || !this.ready) return;
    this.busy = true;
    const now = performance.now();
    const since = this.last === null ? 0.016 : (now - this.last) / 1000;
    this.last = now;
    this.run(() => this.film(Math.min(since, 0.5))).then(() => (this.playing ? this.free() : this.stopped()));
  }

  /** What was at its end when play was pressed begins anew. */
  async film(seconds) {
    if (this.anew) {
      this.anew = false;
      await this.act.again?.();
    }
    return this.act.tick(seconds);
  }

  /** Where a film stops, its numbers and its link are those of what is there, not of a moment before. */
  async stopped() {
    this.busy = true;
    if (this.ready) await this.run(() => this.act.settle?.());
    await this.page.remember(this);
    this.free();
  }

  /** The work under way is done; a stop that was waited for has been, or was taken back. */
  free() {
    this.busy = false;
    if (this.stopping) this.atWork(-1);
    this.stopping = false;
  }

  /** Say in the document that something is still under way, so that who looks at a figure can wait for it. */
  atWork(change) {
    this.works = (this.works ?? 0) + change;
    this.element.toggleAttribute("data-busy", this.works > 0);
  }

  /** Do one thing, and nothing else meanwhile: the film stops, and the link follows. */
  async alone(work) {
    this.pause();
    this.resume = false;
    this.atWork(+1);
    while (this.busy) await new Promise(requestAnimationFrame);
    this.busy = true;
    await this.run(work);
    await this.page.remember(this);
    this.busy = false;
    this.atWork(-1);
  }

  step() {
    return this.alone(() => this.act.step());
  }

  reset() {
    return this.alone(() => this.act.reset());
  }

  reseed() {
    const seed = Number(this.seedBox.value);
    if (!Number.isInteger(seed) || seed < 0 || this.seedBox.value === "") {
      this.say(`The seed is ${this.seedBox.value || "empty"}; give a whole number of at least 0.`, true);
      return undefined;
    }
    return this.alone(async () => {
      this.act.world().seed = seed;
      await this.act.reset();
    });
  }

  async share() {
    this.pause();
    await this.run(async () => {
      const address = await this.page.addressOf(this);
      const copied = await copyText(address);
      this.say(copied ? `Copied: ${address}` : address);
    });
  }

  async python() {
    this.pause();
    await this.run(async () => {
      const { text } = await this.host.ask("python", { world: this.act.world().name });
      const copied = await copyText(text);
      this.page.show(copied ? "Copied as Python" : "As Python", text);
    });
  }
}

/** Put text on the clipboard, if the browser lets us. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
