// Words and numbers: everything that turns the host's facts into what a person reads. Never touches the page.

const KINDS = {
  records: ["Your entries", "your entries"],
  contact: ["Profile", "the customer’s profile"],
  history: ["History", "earlier messages"],
  "language-model": ["Language model", "language models"],
  http: ["Internet", "the internet"],
  media: ["Pictures", "pictures and files"],
};

const EFFECTS = {
  say: "reply in the chat",
  handoff: "hand over to a person",
  "private-reply": "answer a comment in private",
  "comment-reply": "answer a comment",
  "hide-comment": "hide a comment",
  "set-attribute": "note something about the customer",
  "add-tag": "tag the customer",
  note: "write a note for staff",
  call: "call one of your endpoints",
};

const DELIVERIES = {
  staged: ["Waiting to be sent", "wait"],
  sending: ["Being sent", "wait"],
  retry: ["Not taken, will be tried again", "warn"],
  unknown: ["No answer: waiting for evidence, not sent twice", "warn"],
  held: ["Held for a person", "warn"],
  sent: ["Sent", "good"],
  delivered: ["Delivered", "good"],
  read: ["Read", "good"],
  dead: ["Given up", "bad"],
  dropped: ["Not sent: policy changed its mind", "bad"],
};

const TASKS = {
  handoff: ["A person takes over", "The plugin handed the conversation to your staff. From here on plugins stay silent."],
  "human-request": ["A person takes over", "The customer asked for a person. From here on plugins stay silent."],
  unanswered: ["Your staff is asked", "No plugin knew the answer, so it waits for a person instead of being lost."],
  refused: ["Your staff is asked", "A plugin wanted to answer and was not allowed to, so it waits for a person instead of being lost."],
  "failed-turn": ["Your staff is asked", "The message could not be processed, so it waits for a person instead of being lost."],
};

export const capability = (name) => KINDS[name] ?? [name, name];
export const allCapabilities = Object.keys(KINDS);
export const allEffects = Object.keys(EFFECTS);
export const effect = (name) => EFFECTS[name] ?? name;
export const delivery = (state) => DELIVERIES[state] ?? [state, "wait"];
export const task = (kind) => TASKS[kind] ?? ["Your staff is asked", "This waits for a person."];

const thousands = new Intl.NumberFormat("en");

/** "312 µs", "4 ms", "1.9 s". */
export function duration(ms) {
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 1000) return `${ms < 10 && !Number.isInteger(ms) ? ms.toFixed(1) : Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Where on the message's own clock: "0 ms", "+4 ms", "+1.51 s". */
export const offset = (ms) => (ms <= 0 ? "0 ms" : `+${duration(ms)}`);

export function ago(ms) {
  if (ms < 4_000) return "just now";
  if (ms < 60_000) return `${Math.round(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min ago`;
  return `${Math.round(ms / 3_600_000)} h ago`;
}

/** "8,214 instructions", "1.2 million instructions". */
export function fuel(units) {
  if (units < 1_000_000) return `${thousands.format(units)} instructions`;
  return `${(units / 1_000_000).toFixed(1)} million instructions`;
}

export const count = (n, one, many = `${one}s`) => `${thousands.format(n)} ${n === 1 ? one : many}`;

/** With a capital at its start and a full stop at its end. */
export const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}` : "");

/** Why a delivery did not go well: Meta's code, or a code of ours. */
export function failure(reason) {
  const [, code, subcode] = reason.match(/^[a-z-]+:(\d+)(?::(\d+))?$/) ?? [];
  if (code) return `Meta refused it: error ${code}${subcode ? `, subcode ${subcode}` : ""}.`;
  const known = { unreachable: "Meta could not be reached.", "backing-off": "Meta asked for a pause.", reauthorise: "The channel has to be connected again.", unknown: "Whether Meta took it could not be found out." };
  return known[reason] ?? `Reason: ${reason}.`;
}

/** "a, b and c". */
export function list(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** What was there and whether the plugin was shown it: `["text: shown"]` → both halves in words. */
export function seen(saw) {
  const nouns = { text: "the text of the message", button: "the choice that was tapped", attachments: "that something is attached" };
  const shown = [];
  const withheld = [];
  for (const line of saw) {
    const [what, state] = line.split(": ");
    const noun = nouns[what] ?? what;
    if (state === "withheld") withheld.push(noun);
    else shown.push(state === "masked" ? `${noun}, numbers and addresses masked` : noun);
  }
  return { shown, withheld };
}

/** "allow" | "rewrite: why" | "deny: why" */
export function verdict(text) {
  const [kind, ...why] = text.split(": ");
  const words = { allow: ["Allowed", "good"], rewrite: ["Allowed with changes", "warn"], deny: ["Denied", "bad"] }[kind] ?? [kind, "wait"];
  return { title: words[0], tone: words[1], why: why.join(": ").replaceAll(/`([^`]*)`/g, "“$1”") };
}

const STOPS = {
  fuel: "used up its instructions",
  wall: "took too long",
  memory: "asked for too much memory",
  trap: "crashed",
};

/** How a plugin's call ended, for a person. */
export function ending(line) {
  const [kind, code] = line.outcome.split(": ");
  if (kind === "done") return { title: "answered", tone: "good" };
  if (kind === "pass") return { title: "passed", tone: "quiet", text: "It has nothing to say to this and leaves it to others." };
  if (kind === "fault") return { title: "reported a problem", tone: "bad", text: sentence(line.detail ?? code) };
  return { title: `was stopped: it ${STOPS[code] ?? `broke a limit (${code})`}`, tone: "bad", text: sentence(line.detail ?? "") };
}

/** What a plugin gives as its reason; an entry goes by its title, as its id means nothing to a person. */
export function reason(text, entries) {
  return text.replace(/(?:\bentry )?\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g, (whole, id) => (entries[id] ? `“${entries[id]}”` : "an entry"));
}
