// The page around the phone: asks the host what happened, shows it, types suggestions into the phone. Never sends a message
// itself; only the phone does.

import { card, icon, make, state, times } from "./story.js";
import * as words from "./words.js";

const BUSY_MS = 200; // between looks while something is on its way
const IDLE_MS = 1_500; // otherwise
const KEY_MS = 26; // between two letters that are typed for you
const FRESH_MS = 20_000; // older stories are not followed closely any more

const at = (id) => document.getElementById(id);
const phone = document.querySelector("[data-phone]");
const sides = document.querySelector(".sides");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let clockOffset = 0; // the host's clock less ours
let drawn = new Map(); // story id → what it was drawn from, and its element
let told = null; // stories that a screen reader was told about; null until the first look
let unseen = 0;
const chosen = new Map(); // story id → whether a visitor opened or closed it
let timer = null;
let lookAgain = false;
let looking = false;

function face(name) {
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  const parts = name.split(" ");
  const element = make("span", { class: "phone-face", "aria-hidden": "true" }, (parts[0][0] + (parts.at(-1)[0] ?? "")).toUpperCase());
  element.style.setProperty("--hue", hue);
  return element;
}

/** One look at the host; asks again soon while something is on its way. */
async function look() {
  clearTimeout(timer);
  if (looking) { lookAgain = true; return; }
  looking = true;
  let wait = IDLE_MS;
  try {
    const answer = await fetch("/demo/state");
    if (!answer.ok) throw new Error(`the host answered ${answer.status}`);
    const seen = await answer.json();
    clockOffset = seen.now - Date.now();
    show(seen);
    at("lost").hidden = true;
    if (seen.stories.some(isUnderWay)) wait = BUSY_MS;
  } catch (error) {
    at("lost").hidden = false;
    console.error(error);
  }
  looking = false;
  if (lookAgain) { lookAgain = false; wait = 0; }
  timer = setTimeout(look, document.hidden ? Math.max(wait, IDLE_MS) : wait);
}

function isUnderWay(story) {
  if (Date.now() + clockOffset - times(story).begin > FRESH_MS) return false;
  const open = ["staged", "sending", "retry", "unknown", "sent", "delivered"];
  return story.stage === "waiting" || (story.turn?.deliveries ?? []).some((delivery) => open.includes(delivery.state));
}

function show(seen) {
  const context = { face, handBack, toggle, now: seen.now, entries: seen.entries, settle: seen.settle_ms, plugins: new Map(seen.plugins.map((plugin) => [plugin.id, plugin])) };
  showGrants(seen.plugins);
  showStories(seen.stories, context);
  showSum(seen.stories);
  at("invite").hidden = seen.stories.length > 0;
  at("next").hidden = seen.stories.length === 0;
  tell(seen.stories);
  tick();
}

/** Draws only what changed, so that nothing loses focus and nothing moves twice. */
function showStories(stories, context) {
  const list = at("stories");
  const next = new Map();
  for (const story of stories) {
    const text = JSON.stringify(story);
    const known = drawn.get(story.id);
    if (known?.text === text) { next.set(story.id, known); continue; }
    const element = known?.element ?? make("li", { class: "story", "data-story": story.id });
    const steps = element.querySelectorAll(".step").length;
    const focused = element.contains(document.activeElement) ? document.activeElement.className : null;
    element.classList.toggle("is-first", !known);
    element.replaceChildren(...card(story, context));
    if (focused) element.getElementsByClassName(focused)[0]?.focus({ preventScroll: true });
    element.querySelectorAll(".step").forEach((step, place) => step.classList.toggle("is-new", place >= steps));
    if (!known) noteUnseen();
    next.set(story.id, { text, element });
  }
  drawn = next;
  const elements = [...next.values()].map((one) => one.element);
  if (elements.length !== list.children.length || elements.some((element, place) => list.children[place] !== element)) {
    const focused = document.activeElement;
    list.replaceChildren(...elements);
    if (list.contains(focused)) focused.focus({ preventScroll: true });
  }
  openNewest();
}

/** The newest story is open, older ones are folded away, unless the visitor chose otherwise. */
function openNewest() {
  let newest = true;
  for (const [id, { element }] of drawn) {
    const open = chosen.get(id) ?? newest;
    element.classList.toggle("is-open", open);
    element.querySelector(".way").hidden = !open;
    element.querySelector(".toggle").setAttribute("aria-expanded", String(open));
    newest = false;
  }
}

function toggle(id) {
  chosen.set(id, !drawn.get(id).element.classList.contains("is-open"));
  openNewest();
}

/** The consent screen in short: what each plugin was handed, and what not. */
function showGrants(plugins) {
  const holder = at("grants");
  const text = JSON.stringify(plugins);
  if (holder.dataset.text === text) return;
  holder.dataset.text = text;
  holder.replaceChildren(...plugins.map((plugin) => {
    const row = (name) => {
      const is = plugin.granted.includes(name);
      const [title] = words.capability(name);
      return make("li", { class: is ? "is-granted" : "is-kept", title: plugin.reasons[name] },
        make("span", { class: "quiet" }, is ? "Granted: " : "Not granted: "), title);
    };
    const sees = plugin.text !== "none";
    const wrote = make("li", { class: sees ? "is-granted" : "is-kept" }, make("span", { class: "quiet" }, sees ? "Granted: " : "Not granted: "),
      plugin.text === "masked" ? "Message text, with phone numbers, e-mail addresses, cards and accounts masked" : "Message text");
    const may = words.allEffects.filter((name) => ["say", "handoff"].includes(name) && plugin.effects.includes(name)).map(words.effect);
    return make("section", { class: "grant", "aria-label": `What ${plugin.name} was granted` },
      make("div", { class: "grant-head" }, make("span", { class: "step-icon" }, icon("plugin")),
        make("div", {}, make("h3", {}, plugin.name), make("p", {}, `Plugin, version ${plugin.version}. It may ${words.list(may)}; policy has the last word.`))),
      make("ul", { class: "grant-list" }, wrote, words.allCapabilities.map(row)));
  }));
}

function showSum(stories) {
  const answered = stories.map((story) => ({ ...times(story) })).filter((time) => time.answered !== null && time.waited !== null);
  if (!answered.length) {
    at("sum").textContent = "Every step of every message, as it takes place.";
    return;
  }
  const work = answered.map((time) => time.answered - time.begin - time.waited).sort((left, right) => left - right);
  const middle = work[Math.floor((work.length - 1) / 2)];
  at("sum").textContent = `${words.count(answered.length, "message")} dealt with; without the wait for more words typically ${words.duration(Math.max(1, middle))} each.`;
}

/** Tells a screen reader what came to an end since the last look; the list itself is not read again. */
function tell(stories) {
  const over = stories.filter((story) => !["wait", "warn"].includes(state(story)[1]));
  if (told) {
    for (const story of over.filter((story) => !told.has(story.id)).reverse()) {
      const said = story.said.map((said) => said.text ?? "something").join(", ");
      const answer = story.turn?.deliveries.map((delivery) => delivery.text).join(" ") ?? "";
      at("news").replaceChildren(make("p", {}, `${story.person?.name ?? "A customer"} wrote: ${said}. ${state(story)[0]}. ${answer}`));
    }
  }
  told = new Set(over.map((story) => story.id));
}

function tick() {
  const now = Date.now() + clockOffset;
  for (const time of document.querySelectorAll(".ago")) time.textContent = words.ago(now - Number(time.dataset.at));
}

async function handBack(conversation) {
  await fetch("/demo/hand-back", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ conversation }) }).catch(() => {});
  at("happened").focus({ preventScroll: true });
  look();
}

/* The two sides on a narrow screen. */

const tabs = [at("tab-phone"), at("tab-happened")];

function showSide(side) {
  sides.dataset.side = side;
  tabs.forEach((tab) => tab.setAttribute("aria-pressed", String(tab.id === `tab-${side}`)));
  if (side === "happened") { unseen = 0; showUnseen(); }
}

function noteUnseen() {
  if (told === null || sides.dataset.side === "happened") return;
  unseen += 1;
  showUnseen();
}

function showUnseen() {
  const badge = tabs[1].querySelector(".fresh");
  badge.hidden = unseen === 0;
  badge.replaceChildren(String(unseen), make("span", { class: "quiet" }, " new"));
}

tabs.forEach((tab) => tab.addEventListener("click", () => showSide(tab.id.slice("tab-".length))));

/* Typing for the visitor. */

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the phone shows people; then picks one by first name. */
async function pick(name) {
  for (let tries = 0; tries < 100; tries += 1) {
    const people = [...phone.querySelectorAll('[role="tab"]')];
    const wanted = people.find((tab) => !name || tab.textContent.includes(name));
    if (wanted) { if (name) wanted.click(); return true; }
    await pause(50);
  }
  return false;
}

async function ask(text, name) {
  showSide("phone");
  if (!(await pick(name))) return;
  const input = phone.querySelector("textarea");
  input.focus({ preventScroll: true });
  const letters = calm.matches ? [text] : [...text];
  input.value = "";
  for (const letter of letters) {
    input.value += letter;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await pause(calm.matches ? 0 : KEY_MS);
  }
  input.form.requestSubmit();
}

at("happened").addEventListener("click", (event) => {
  const button = event.target.closest("[data-ask]");
  if (button) ask(button.dataset.ask, button.dataset.as);
});

phone.addEventListener("phone:message", look);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
setInterval(tick, 1_000);
look();

// A link may carry a question: /?ask=Do you deliver%3F&as=Noah
const wanted = new URLSearchParams(location.search);
if (wanted.get("ask")) {
  history.replaceState(null, "", location.pathname); // so that a reload does not ask again
  ask(wanted.get("ask").slice(0, 500), wanted.get("as"));
}
