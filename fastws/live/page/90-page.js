const TITLE = "Wake and sleep";

/** The whole page: its views in a row, one loop for all pictures, one link for what is seen. */
class Page {
  constructor(model, el) {
    this.model = model;
    this.host = new Host(model);
    this.root = h("div", { class: "fastws-live", lang: "en" });
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.docs = null;
    el.replaceChildren(this.root);
    this.ink = new Ink(this.root);
    this.readLink();
    this.notice = h("div", { class: "notice", role: "alert", hidden: true });
    this.dialog = h("dialog", { class: "code" });
    this.root.append(this.notice, this.dialog);
    this.frame = (time) => this.loop(time);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.recolour = () => this.colours();
    this.scheme.addEventListener("change", this.recolour);
  }

  async begin() {
    const hello = await this.host.ask("hello");
    this.hello = hello;
    this.docs = hello.docs === undefined || hello.docs === null || hello.docs === "" ? null : hello.docs.replace(/\/?$/, "/");
    if (hello.link && !this.link.view) this.readLink(hello.link);
    this.opening = new Opening(this);
    this.figures = VIEWS.map((view) => new Figure(this, view));
    this.root.append(
      h(
        "header",
        { class: "opening" },
        h("div", {}, h("h1", {}, h("span", { class: "wake" }, "Wake"), " and ", h("span", { class: "sleep" }, "sleep")), OPENING.map((words) => h("p", { class: "words" }, prose(words))), hello.rule ? h("p", { class: "words rule" }, `Worlds on this page learn by the rule of ${hello.rule}.`) : null),
        this.opening.element,
      ),
      this.contents(),
      h("main", {}, this.figures.map((figure) => figure.element)),
      h("footer", {}, CLOSING.map((words) => h("p", { class: "words" }, prose(words))), h("p", { class: "words small" }, `fastws ${hello.version}. Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158–1161.`)),
    );
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { threshold: Array.from({ length: 21 }, (_, i) => i / 20) });
    for (const figure of this.figures) this.observer.observe(figure.act.element);
    this.root.tabIndex = -1;
    const inPage = this.root.parentElement.dataset.host !== "widget";
    this.listening = inPage ? document : this.root;
    this.press = (event) => this.key(event);
    this.listening.addEventListener("keydown", this.press);
    // A seed or a plan alone is for the bars, where they are begun with; the page opens at its top.
    const bars = this.figures.find((figure) => figure.view.id === "bars");
    if (!this.link.view && this.link.plan) this.link = { view: "bars", plan: this.link.plan };
    else if (!this.link.view && /^\d+$/.test(this.link.seed ?? "")) bars.seedBox.value = bars.act.main.seed = Number(this.link.seed);
    const wanted = this.figures.find((figure) => figure.view.id === this.link.view);
    if (wanted) wanted.element.scrollIntoView();
  }

  contents() {
    this.marks = this.figures.map((figure) => h("a", { href: `#view=${figure.view.id}`, title: figure.view.title, onclick: (e) => { e.preventDefault(); this.go(figure); } }, h("span", {}, String(figure.view.number))));
    const theme = h("button", { type: "button", class: "theme", title: "Light or dark (d)", onclick: () => this.toggleTheme() }, "◐");
    const keys = h("button", { type: "button", class: "keys", title: "Keys (?)", onclick: () => this.showKeys() }, "?");
    return h("nav", { class: "contents", "aria-label": "Figures" }, h("div", { class: "marks" }, this.marks), theme, keys);
  }

  go(figure) {
    figure.element.scrollIntoView({ behavior: this.still ? "auto" : "smooth" });
    figure.element.focus({ preventScroll: true });
  }

  // -- what is in view

  seen(entries) {
    for (const { target, isIntersecting, intersectionRect, boundingClientRect, rootBounds } of entries) {
      const figure = this.figures.find((own) => own.act.element === target);
      const height = rootBounds ? rootBounds.height : window.innerHeight;
      const enough = isIntersecting && intersectionRect.height > Math.min(0.2 * boundingClientRect.height, 0.2 * height);
      figure.share_of_view = isIntersecting ? intersectionRect.height : 0;
      if (enough && !figure.visible) figure.enter();
      else if (!isIntersecting && figure.visible) figure.leave();
    }
    const current = this.current();
    this.marks.forEach((mark, i) => {
      mark.setAttribute("aria-current", this.figures[i] === current ? "true" : "false");
      if (this.figures[i] === current) mark.parentElement.scrollLeft = mark.offsetLeft - mark.parentElement.clientWidth / 2;
    });
  }

  /** The figure that most is seen of. */
  current() {
    const focused = this.figures.find((figure) => figure.visible && figure.element.contains(document.activeElement) && document.activeElement !== document.body);
    return focused ?? this.figures.reduce((best, own) => (own.visible && (own.share_of_view ?? 0) > (best?.share_of_view ?? 0) ? own : best), null);
  }

  /** The loop runs while a figure in view plays or waits for a guess, and not otherwise. */
  wake() {
    if (!this.turning) {
      this.turning = true;
      this.lastFrame = null;
      requestAnimationFrame(this.frame);
    }
  }

  loop(time) {
    const seconds = this.lastFrame === null ? 0 : Math.min(0.25, (time - this.lastFrame) / 1000);
    this.lastFrame = time;
    this.opening.frame(seconds);
    let wanted = this.opening.playing;
    for (const figure of this.figures) {
      if (!figure.visible) continue;
      figure.frame(seconds);
      if (figure.playing || (figure.asked && !figure.isAnswered)) wanted = true;
    }
    this.turning = wanted && !this.closed;
    if (this.turning) requestAnimationFrame(this.frame);
  }

  // -- the link

  readLink(text = this.model.get?.("link") || "") {
    this.link = Object.fromEntries(new URLSearchParams(text));
  }

  linkFor(figure) {
    return this.link.view === figure.view.id && Object.keys(this.link).length > 1 ? this.link : null;
  }

  async textOf(figure) {
    const state = figure.act.link ? await figure.act.link() : figure.act.world ? await figure.act.world().link() : {};
    const entries = Object.entries({ view: figure.view.id, ...state }).filter(([, value]) => value !== undefined && value !== null);
    return new URLSearchParams(entries.map(([key, value]) => [key, String(value)])).toString();
  }

  async remember(figure) {
    if (!this.model.setLink || !figure.ready) return;
    try {
      this.model.setLink(await this.textOf(figure));
    } catch {
      // The next piece of work says what is wrong with the host.
    }
  }

  async addressOf(figure) {
    const text = await this.textOf(figure);
    if (!this.model.setLink) return `#${text}`;
    this.model.setLink(text);
    const base = this.hello.share || location.href.split("#")[0];
    return `${base}#${text}`;
  }

  // -- keys, colours, what is said

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.dialog.open) return;
    const tag = event.target.tagName;
    if (tag === "INPUT" || tag === "TEXTAREA" || tag === "SELECT" || event.target.isContentEditable) return;
    const figure = this.current();
    const at = this.figures.indexOf(figure);
    const actions = {
      " ": () => tag !== "BUTTON" && figure?.act.tick && (figure.toggle(), true),
      ArrowRight: () => figure?.act.step && (figure.step(), true),
      r: () => figure?.act.reset && (figure.reset(), true),
      l: () => figure && (figure.share(), true),
      j: () => this.figures[at + 1] && (this.go(this.figures[at + 1]), true),
      k: () => this.figures[at - 1] && (this.go(this.figures[at - 1]), true),
      d: () => (this.toggleTheme(), true),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((k) => [String(k), () => figure?.act.pick && (figure.alone(() => figure.act.pick(k - 1)), true)])),
      "?": () => (this.showKeys(), true),
    };
    if (actions[event.key]?.()) event.preventDefault();
  }

  showKeys() {
    this.show("Keys", "space   play or pause\n→       one step\nr       reset: same initial weights, same seed\nl       copy a link to what the figure shows\nj, k    next figure, the one before\n1 to 9  switch a unit of the figure, or dream with it held on\nd       light or dark");
  }

  toggleTheme() {
    const dark = (this.root.dataset.theme ?? (this.scheme.matches ? "dark" : "light")) === "dark";
    this.root.dataset.theme = dark ? "light" : "dark";
    this.colours();
  }

  colours() {
    this.ink.read();
    this.opening.stage.redraw();
    for (const figure of this.figures) figure.act.redraw?.();
  }

  show(title, text) {
    this.dialog.replaceChildren(
      h("h3", {}, title),
      h("pre", { tabindex: "0" }, text),
      h("button", { type: "button", onclick: () => this.dialog.close() }, "Close"),
    );
    this.dialog.showModal();
  }

  lost(sentence) {
    this.notice.replaceChildren(h("span", {}, sentence), h("button", { type: "button", onclick: () => { this.notice.hidden = true; } }, "Close"));
    this.notice.hidden = false;
  }

  close() {
    this.closed = true;
    this.observer?.disconnect();
    this.opening?.observer.disconnect();
    this.listening?.removeEventListener("keydown", this.press);
    this.scheme.removeEventListener("change", this.recolour);
    this.host.close();
  }
}

export default {
  render({ model, el }) {
    const page = new Page(model, el);
    page.begin().catch((error) => page.lost(error.message));
    return () => page.close();
  },
};
