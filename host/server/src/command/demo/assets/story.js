// One story: a card with the way of a message, step by step. Builds elements; text from outside only ever becomes text.

import * as words from "./words.js";

const ICONS = {
  webhook: '<path d="M10 2.5 3.5 5v5c0 4 2.8 6.6 6.5 7.9 3.7-1.3 6.5-3.9 6.5-7.9V5z"/><path d="m7 10 2.2 2.2L13.2 8"/>',
  inbox: '<circle cx="10" cy="10" r="7.2"/><path d="M10 5.8V10l2.9 1.9"/>',
  plugin: '<path d="M3.5 6.2 10 2.6l6.5 3.6v7.6L10 17.4l-6.5-3.6z"/><path d="M3.7 6.3 10 9.8l6.3-3.5M10 9.8v7.4"/>',
  policy: '<path d="M10 3v13.5M5 16.5h10M4.5 6 10 4.5 15.5 6M4.5 6l-2 5a2.3 2.3 0 0 0 4 0zM15.5 6l-2 5a2.3 2.3 0 0 0 4 0z"/>',
  graph: '<path d="M17.2 3 2.8 8.7l5.6 2.3 2.4 5.9z"/><path d="M8.4 11 17.2 3"/>',
  person: '<circle cx="10" cy="6.8" r="3.2"/><path d="M3.8 17c.5-3.4 3-5.2 6.2-5.2s5.7 1.8 6.2 5.2"/>',
  more: '<path d="m6 8 4 4 4-4"/>',
  hand: '<circle cx="10" cy="10" r="7.2"/><path d="M6.2 10h7.6"/>',
};

/** Makes an element; strings become text, empty children are left out. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export function icon(name) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true">${ICONS[name]}</svg>`;
  return holder.content.firstChild;
}

const quote = (text, kind) => make("q", { class: `words ${kind}`, dir: "auto" }, text);
const fact = (text, title) => make("li", { title }, text);
const facts = (...all) => make("ul", { class: "facts" }, all.filter(Boolean));
const mark = (text, tone) => make("span", { class: `mark-${tone} tag` }, text);

/** One step of the way. `at` is when it was over, on the host's clock. */
function step(kind, title, at, begin, ...body) {
  const time = at === null ? null : make("span", { class: "at" }, words.offset(at - begin));
  return make("li", { class: `step step-${kind}` },
    make("span", { class: "step-icon" }, icon(kind)),
    make("div", { class: "step-body" }, make("div", { class: "step-head" }, make("h4", {}, title), time), body));
}

/** All times of a story that its summary needs; `null` where something is not there yet. */
export function times(story) {
  const begin = story.said[0]?.at ?? story.turn?.started_at ?? 0;
  const deliveries = story.turn?.deliveries ?? [];
  const settled = deliveries.map((delivery) => delivery.settled_at);
  const isAnswered = deliveries.length > 0 && deliveries.every((delivery) => ["sent", "delivered", "read"].includes(delivery.state));
  const answered = isAnswered ? Math.max(...settled) : null;
  const stored = story.turn?.outline?.events.map((event) => event.received_at) ?? [];
  const claimed = story.turn?.outline?.claimed_at ?? null;
  const waited = claimed === null || !stored.length ? null : Math.max(0, claimed - Math.min(...stored));
  return { begin, stored: stored.length ? Math.max(...stored) : null, claimed, waited, answered };
}

/** What became of a story, in a few words and a tone. */
export function state(story) {
  const { begin, answered } = times(story);
  if (story.stage === "waiting") return ["On its way", "wait"];
  if (story.signal === "opt-out") return ["Opted out", "person"];
  if (story.signal === "opt-in") return ["Opted in again", "good"];
  const kinds = story.tasks.map((task) => task.kind);
  if (kinds.includes("handoff") || kinds.includes("human-request")) return ["A person takes over", "person"];
  const outcome = story.turn?.outcome;
  if (outcome === "silent") return ["Left to a person", "person"];
  if (outcome === "parked" || kinds.includes("failed-turn")) return ["Failed, staff is told", "bad"];
  const states = story.turn?.deliveries.map((delivery) => delivery.state) ?? [];
  if (states.some((state) => ["dead", "dropped", "held"].includes(state))) return ["Not delivered", "bad"];
  if (states.some((state) => ["retry", "unknown"].includes(state))) return ["Meta is slow", "warn"];
  if (kinds.includes("unanswered") || kinds.includes("refused")) return ["Handed to staff", "person"];
  if (answered !== null) return [`Answered in ${words.duration(answered - begin)}`, "good"];
  if (outcome === "answered" && !states.length) return isDenied(story) ? ["Stopped by policy", "bad"] : ["Nothing to send", "quiet"];
  return states.length ? ["Being answered", "wait"] : ["Nothing to send", "quiet"];
}

function isDenied(story) {
  return (story.turn.outline?.plugins ?? []).some((line) => line.proposals.some((proposal) => proposal.verdict.startsWith("deny")));
}

/** The card of a story. */
export function card(story, context) {
  const [title, tone] = state(story);
  const name = story.person?.name ?? "A customer";
  const head = make("header", { class: "story-head" },
    context.face(name),
    make("div", { class: "story-said" },
      make("h3", {}, name, make("span", { class: "quiet" }, " wrote")),
      story.said.map((said) => make("p", {}, quote(said.text ?? "something without words", "said")))),
    make("div", { class: "story-state" }, mark(title, tone), make("span", { class: "ago", "data-at": times(story).begin })),
    make("button", { class: "toggle", type: "button", "aria-expanded": "false", "aria-label": `Steps of ${name}’s message`, onclick: () => context.toggle(story.id) }, icon("more")));
  const steps = make("ol", { class: "steps", "aria-label": "The way of this message" }, way(story, context));
  return [head, make("div", { class: "way" }, total(story), steps), held(story, context)].filter(Boolean);
}

function way(story, context) {
  const steps = [webhook(story), inbox(story, context)];
  if (story.stage === "control") steps.push(beside(story));
  if (story.turn) steps.push(...plugins(story, context));
  steps.push(...story.tasks.map((task) => handed(task, story)));
  if (story.turn) steps.push(...deliveries(story));
  return steps.filter(Boolean);
}

function webhook(story) {
  const { begin, stored } = times(story);
  const posts = story.webhooks;
  const answered = posts.map((post) => post.answered_at).filter((at) => at !== null);
  const at = stored ?? (answered.length ? Math.max(...answered) : null);
  const refused = posts.find((post) => post.status !== null && post.status !== 200);
  const many = posts.length > 1;
  const text = at === null
    ? "Meta is delivering it."
    : many ? "Each signature was checked; all were encrypted and on disk before Meta got its 200."
      : "The signature was checked; the message was encrypted and on disk before Meta got its 200.";
  const bytes = posts.reduce((sum, post) => sum + post.bytes, 0);
  const attempts = posts.reduce((most, post) => Math.max(most, post.attempts), 0);
  return step("webhook", many ? `${posts.length} webhooks, verified and stored` : "Webhook, verified and stored", at, begin,
    make("p", {}, text),
    facts(
      answered.length > 0 && !many && fact("answered 200"),
      fact("HMAC-SHA-256"), bytes > 0 && fact(words.count(bytes, "byte")),
      attempts > 1 && fact(`${attempts} attempts`), refused && fact(`status ${refused.status}`)));
}

function inbox(story, context) {
  const { begin, claimed, waited } = times(story);
  if (story.stage === "control") return null;
  const n = story.said.length;
  if (story.stage === "waiting") {
    const bar = make("span", { class: "settling", "aria-hidden": "true" }, make("i"));
    const late = context.now - story.said.at(-1).at;
    bar.style.setProperty("--settle", `${context.settle}ms`);
    bar.style.setProperty("--late", `${-Math.max(0, late)}ms`); // the bar goes on where it stood when the card is drawn anew
    return step("inbox", "Inbox, waiting for more words", null, begin,
      make("p", {}, `People write in pieces. What comes within ${words.duration(context.settle)} is answered together.`), bar);
  }
  const pieces = n > 1 ? `${words.count(n, "message")} became one question.` : "Nothing more came, so this is the whole question.";
  return step("inbox", waited === null ? "Inbox" : `Inbox, settled after ${words.duration(waited)}`, claimed, begin, make("p", {}, pieces));
}

function beside(story) {
  const { begin } = times(story);
  const said = {
    "opt-out": ["Applied at once: no more messages", "Nothing is sent to this customer any more, by any plugin, until they write START. This does not wait in line behind slow work."],
    "opt-in": ["Applied at once: writing is allowed again", "The customer took the opt-out back."],
    "human-request": ["Applied at once: plugins are silenced", "A wish for a person does not wait in line, and no plugin can talk over it."],
  }[story.signal];
  return step("policy", said[0], story.tasks[0]?.at ?? null, begin, make("p", {}, said[1]));
}

function plugins(story, context) {
  const { begin, claimed } = times(story);
  const lines = story.turn.outline?.plugins ?? [];
  let at = claimed ?? begin;
  const steps = lines.flatMap((line) => {
    at += line.micros / 1000;
    return [plugin(line, at, begin, context), policy(line, story)];
  });
  if (story.turn.outcome === "silent") {
    steps.push(step("hand", "No plugin was asked", null, begin, make("p", {}, "A person holds this conversation, so plugins stay silent.")));
  }
  return steps.filter(Boolean);
}

function plugin(line, at, begin, context) {
  const known = context.plugins.get(line.plugin);
  const ended = words.ending(line);
  const { shown, withheld } = words.seen(line.saw);
  const granted = (known?.granted ?? []).map((name) => words.capability(name)[1]);
  const refused = words.allCapabilities.filter((name) => !known?.granted.includes(name)).map((name) => words.capability(name)[1]);
  const saw = make("dl", { class: "saw" },
    make("dt", {}, "Shown"), make("dd", {}, [...shown, ...granted].length ? words.list([...shown, ...granted]) : "nothing"),
    make("dt", {}, "Kept from it"), make("dd", {}, words.list([...withheld, ...(known ? refused : [])]) || "nothing"));
  const proposed = line.proposals.map((proposal) => make("p", { class: "proposed" },
    "It proposes to ", make("strong", {}, words.effect(proposal.effect)),
    proposal.because ? [": ", make("span", { class: "because" }, words.reason(proposal.because, context.entries))] : "", "."));
  return step("plugin", [`${known?.name ?? line.plugin} `, mark(ended.title, ended.tone)], at, begin,
    saw, ended.text ? make("p", {}, ended.text) : null, proposed,
    facts(fact(`ran ${words.duration(line.micros / 1000)}`, "Time in the sandbox"), fact(words.fuel(line.fuel), "Metered, with a limit"),
      fact(words.count(line.host_calls, "host call"), "Questions it asked the host")),
    line.logs.length ? make("details", { class: "logs" }, make("summary", {}, words.count(line.logs.length, "log line")), make("pre", {}, line.logs.join("\n"))) : null);
}

function policy(line, story) {
  if (!line.proposals.length) return null;
  const judged = line.proposals.map((proposal) => ({ ...words.verdict(proposal.verdict), effect: words.effect(proposal.effect) }));
  const worst = judged.find((one) => one.tone === "bad") ?? judged.find((one) => one.tone === "warn") ?? judged[0];
  const clean = judged.every((one) => one.tone === "good");
  const rules = "Granted, inside Meta’s 24-hour window, no opt-out, no person in the chat. Asked again before sending.";
  return step("policy", ["Policy ", mark(clean ? "allowed" : worst.title.toLowerCase(), worst.tone)], null, times(story).begin,
    clean ? make("p", {}, rules) : judged.filter((one) => one.tone !== "good").map((one) => make("p", {}, `To ${one.effect}: ${one.why || one.title.toLowerCase()}.`)));
}

function deliveries(story) {
  return story.turn.deliveries.map((delivery) => {
    const { begin } = times(story);
    const [title, tone] = words.delivery(delivery.state);
    const calls = story.calls[delivery.id] ?? [];
    const last = calls.at(-1);
    const took = delivery.settled_at && delivery.attempted_at ? delivery.settled_at - delivery.attempted_at : null;
    const isTaken = ["sent", "delivered", "read"].includes(delivery.state);
    return step("graph", ["Graph API ", mark(title.toLowerCase(), tone)], delivery.settled_at, begin,
      delivery.text === null ? null : make("p", {}, quote(delivery.text, "answer"), choices(delivery.choices)),
      isTaken ? progress(delivery.state) : null,
      delivery.reason ? make("p", { class: "why" }, words.failure(delivery.reason)) : null,
      facts(isTaken && took !== null && fact(`Meta took it in ${words.duration(Math.max(1, took))}`), delivery.attempts > 0 && fact(words.count(delivery.attempts, "attempt")),
        last && fact(last.version), last?.has_proof && fact("app secret proof"), last?.code && fact(`error ${last.code}`)));
  });
}

function choices(titles) {
  return titles.length ? make("span", { class: "choices" }, titles.map((title) => make("span", { dir: "auto" }, title))) : null;
}

/** How far Meta says it got; the words stand there, colour is only a help. */
function progress(state) {
  const stages = ["sent", "delivered", "read"];
  const reached = stages.indexOf(state);
  return make("ol", { class: "progress", "aria-label": `Got as far as: ${state}` },
    stages.map((stage, place) => make("li", { class: place <= reached ? "is-reached" : "", "aria-hidden": place > reached }, stage)));
}

function handed(task, story) {
  const [title, text] = words.task(task.kind);
  return step("person", title, task.at, times(story).begin, make("p", {}, text),
    task.note ? make("p", { class: "note" }, make("span", {}, "For your staff"), quote(task.note, "note-words")) : null);
}

/** What it took in sum, and the part that was waiting on purpose. */
function total(story) {
  const { begin, waited, answered } = times(story);
  if (answered === null || waited === null) return null;
  const all = answered - begin;
  const work = Math.max(1, all - waited);
  const bar = make("span", { class: "split", "aria-hidden": "true" }, make("i", { class: "split-wait" }), make("i", { class: "split-work" }));
  bar.style.setProperty("--wait", waited);
  bar.style.setProperty("--work", work);
  return make("div", { class: "total" }, bar,
    make("p", {}, `Answered in ${words.duration(all)}, of which ${words.duration(waited)} waiting for more words. `,
      make("strong", {}, `All the rest took ${words.duration(work)}.`)));
}

function held(story, context) {
  if (!story.held) return null;
  return make("div", { class: "held" },
    make("p", {}, "A person holds this conversation, and plugins stay silent."),
    make("button", { type: "button", onclick: () => context.handBack(story.held) }, "Give it back to the plugins"));
}
