// Small things that the figures are made of.

/** Make an element: h("button", {class: "x", onclick: f}, "words", child…). */
function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Write a number of examples: 2,000,000. */
function whole(n) {
  return WHOLE.format(n).replaceAll(",", "\u2009");
}

/** Write a number with a real minus sign; what is not there is a dash. */
function fixed(x, digits = 2, plus = false) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  const text = Math.abs(x).toFixed(digits);
  if (x < 0 && Number(text) !== 0) return `−${text}`;
  return plus && Number(text) !== 0 ? `+${text}` : text;
}

/** Write a formula: _x and _{xy} go down, ^{x} up, single Latin and Greek letters lean. */
function formula(text, leaning = false) {
  const box = h("span", { class: "formula" });
  const pattern = /([_^])(?:\{([^}]*)\}|(\S))|([A-Za-z]{2,})|([A-Za-zα-ω])|([^_^A-Za-zα-ω]+)/gu;
  for (const [, shift, group, one, word, letter, rest] of text.matchAll(pattern)) {
    if (shift) box.append(h(shift === "_" ? "sub" : "sup", {}, formula(group ?? one, true)));
    else if (letter || (leaning && word)) box.append(h("i", {}, letter ?? word));
    else box.append(word ?? rest);
  }
  return box;
}

/** Put text with *emphasis* and +wake+ and ~sleep~ words into an element. */
function prose(text) {
  const kinds = { "*": ["em", {}], "+": ["b", { class: "wake" }], "~": ["b", { class: "sleep" }] };
  return text.split(/(\*[^*]+\*|\+[^+]+\+|~[^~]+~)/).map((part) => {
    const kind = part.length > 2 && part[0] === part[part.length - 1] ? kinds[part[0]] : null;
    return kind ? h(kind[0], kind[1], part.slice(1, -1)) : part;
  });
}

/** A button that stays pressed: one of several. Calls `choose(value)`; `.set(value)` presses one without calling. */
function choice(label, options, value, choose) {
  const box = h("div", { class: "choice", role: "group", "aria-label": label });
  const buttons = options.map(([key, words, title]) =>
    h("button", { type: "button", title, onclick: () => { set(key); choose(key); } }, words),
  );
  function set(key) {
    options.forEach(([own], i) => buttons[i].setAttribute("aria-pressed", String(own === key)));
    box.value = key;
  }
  box.append(...buttons);
  box.set = set;
  set(value);
  return box;
}

/** A slider with its number beside it. `map` turns its position into the value, `write` the value into words. */
function slider(label, { min, max, step, value, write = (x) => fixed(x), slide }) {
  const input = h("input", { type: "range", min, max, step, value, "aria-label": label });
  const output = h("output", {}, write(value));
  const box = h("label", { class: "slider" }, h("span", {}, label), input, output);
  input.addEventListener("input", () => {
    output.textContent = write(Number(input.value));
    slide(Number(input.value));
  });
  box.set = (x) => {
    input.value = x;
    output.textContent = write(x);
  };
  box.input = input;
  return box;
}

/** A number with a name; a click opens the equation that it comes from. */
function readout(label, { kind = "", title = "" } = {}) {
  const number = h("span", { class: "number" }, "–");
  const box = h("button", { type: "button", class: `readout ${kind}`, title }, number, h("span", { class: "name" }, label));
  box.set = (text) => {
    if (number.textContent !== text) number.textContent = text;
  };
  return box;
}
