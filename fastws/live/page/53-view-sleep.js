VIEWS.push({
  id: "sleep",
  number: 3,
  title: "Asleep: it dreams, and recognition learns",
  words: [
    "Now the eyes are shut. Generation runs by itself: the top unit tosses its coin, that drives the layer below, that drives the pixels. Out comes a fantasy. This time the causes are *known*, because the network made them up. So recognition can be told what it should have said.",
  ],
  guess: {
    question: "Awake, nobody knows the true causes of an image. Why does recognition not learn then?",
    options: ["it would have no target to learn from", "it is already right", "it would be too slow"],
    right: 0,
    answer: "It has no target. Asleep, every fantasy comes with its causes, which are exactly the target that it lacks.",
  },
  after: "The rule is the wake rule, turned upside down: state of the sender, times what was so minus what was expected.",
  equations: [{ number: 7, text: "Δw_{jk} = ε s_j (s_k − q_k)", live: "sleep", docs: "the-sleep-phase-equation-7" }],
  build: (figure) =>
    new StepView(figure, "sleep", ["the top decides", "a fantasy", "recog\u00adnition guesses", "the error", "weights learn"], [
      (s) => `Nothing comes in. The top unit is on with probability ${fixed(s.a.asleep_p_2[0])}, by its bias alone; the coin says ${s.a.sleep_states_2[0] ? "on" : "off"}.`,
      (s) => `Generation drives layer 1: ${units(on(s.a.sleep_states_1))} on. They drive the pixels: a fantasy of ${on(s.a.sleep_states_0)} pixels that are on, causes known. ${wentBy(s, "fantasy").replace("fantasys", "fantasies")}`,
      () => "Recognition sees the fantasy only. Each ring is the probability q with which it would have turned a unit on.",
      () => "What caused the fantasy, minus what recognition would have bet.",
      (s) => `~Only recognition weights~ from pixels that were on move. The outlined one: pixel ${s.chosen.i + 1}, unit ${s.chosen.k + 1}.`,
    ]),
});
