const OPENING = [
  "A network looks at pictures that nobody has explained to it, and finds out what they are made of. It has two sets of connections. *Recognition* looks at a picture and says what might have caused it. *Generation* starts from causes and dreams a picture.",
  "Each is the teacher of the other. +Awake+, the network looks, and generation learns. ~Asleep~, it dreams, and recognition learns. That is the whole algorithm; everything below is it, running.",
  "Scroll. Every figure starts by itself, and every number is computed as you watch.",
];

const CLOSING = [
  "What you saw are the equations of one paper, in its order. Every figure has a link that brings back exactly what it showed, and “Python” gives the script that does so without a browser.",
];
