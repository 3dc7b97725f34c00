// Answers requests as the page's host without a server does: node live_host.mjs HOST.js < [request, ...] > [[reply, base64], ...]
import { readFileSync } from "node:fs";

const handle = new Function(`${readFileSync(process.argv[2], "utf8")}\nreturn handle;`)();
const answers = JSON.parse(readFileSync(0, "utf8")).map((request) => {
  const [reply, content] = handle(request);
  return [reply, Buffer.from(content).toString("base64")];
});
process.stdout.write(JSON.stringify(answers));
