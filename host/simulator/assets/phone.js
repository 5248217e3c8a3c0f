// The phone: shows one customer's thread with a Page and sends what they type.
//
// Mounts into every element with `data-phone`. Attributes of that element:
//   data-page         the Page's id; without it the first Page there is
//   data-person       the first name of whoever holds the phone at first
//   data-base         where the control is, "" when it is the same origin
//   data-suggestions  JSON: what to offer in an empty thread, a list or one list per name, {"Ana": ["…"]}
// The element gets `phone.select(personId)` and `phone.say(text)`, and the events `phone:person` and `phone:message`
// with the message as detail, so that the page around it can follow. Text from outside only ever becomes text.

const GROUP_MS = 5 * 60_000; // messages closer than this stand together
const TIME_MS = 15 * 60_000; // after a longer silence the time is shown
const TYPING_MS = 20_000; // Messenger shows typing for 20 seconds at most

const ICONS = {
  send: '<path d="M3.4 20.4 21 12 3.4 3.6 3.4 10l11 2-11 2z" fill="currentColor"/>',
  thumb: '<path d="M2 10.5h4V21H2zM22 11.6c0-1.1-.9-2-2-2h-5.6l.9-4.4c.2-1.3-.5-2.4-1.7-2.7-.5-.1-1 .1-1.2.6L8 9.7V20c.6.6 1.4 1 2.3 1h7.4c.9 0 1.6-.6 1.8-1.4l2.4-6.7c.1-.4.1-.8.1-1.3z" fill="currentColor"/>',
  sent: '<circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.3"/><path d="m5 8.2 2.1 2.1L11 6.2" fill="none" stroke="currentColor" stroke-width="1.4"/>',
  delivered: '<circle cx="8" cy="8" r="7" fill="currentColor"/><path d="m5 8.2 2.1 2.1L11 6.2" fill="none" stroke="var(--paper)" stroke-width="1.6"/>',
  status: '<svg viewBox="0 0 17 11" aria-hidden="true"><path d="M0 8h2.6v3H0zm4.4-2.4H7V11H4.4zm4.5-2.8h2.6V11H8.9zM13.4 0H16v11h-2.6z" fill="currentColor"/></svg><svg viewBox="0 0 25 11" aria-hidden="true"><rect x=".5" y=".5" width="21" height="10" rx="3" fill="none" stroke="currentColor" opacity=".5"/><rect x="2" y="2" width="16" height="7" rx="1.8" fill="currentColor"/><path d="M23 3.6v3.8c.9-.3 1.4-1 1.4-1.9S23.9 3.9 23 3.6z" fill="currentColor" opacity=".5"/></svg>',
};

/** Makes an element; `children` that are strings become text. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function icon(name, box = 24) {
  const holder = document.createElement("template");
  holder.innerHTML = `<svg viewBox="0 0 ${box} ${box}" aria-hidden="true">${ICONS[name]}</svg>`;
  return holder.content.firstChild;
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  return (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 1)).toUpperCase();
}

function face(name) {
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  const element = make("span", { class: "phone-face", "aria-hidden": "true" }, initials(name));
  element.style.setProperty("--hue", hue); // not as an attribute, which a strict content policy would refuse
  return element;
}

/** Text with its addresses made into links. */
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"'“”]*[\p{L}\p{N}\/_#=&~-])/u).map((part, place) =>
    place % 2 ? make("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part) : part);
}

const isOnlyEmoji = (text) =>
  /^[\p{Extended_Pictographic}\p{Emoji_Component}]+$/u.test(text) && /\p{Extended_Pictographic}/u.test(text) && text.length <= 12;

const isWebAddress = (url) => typeof url === "string" && /^https?:\/\//.test(url);

class Phone {
  constructor(host) {
    this.host = host;
    this.base = host.dataset.base ?? "";
    this.pageId = host.dataset.page ?? null;
    this.people = new Map();
    this.chosen = null;
    this.unread = new Map();
    this.typing = new Map();
    this.clockOffset = 0;
    this.suggestions = JSON.parse(host.dataset.suggestions ?? "[]");
    this.build();
    this.listen();
    setInterval(() => this.showClock(), 10_000);
  }

  build() {
    this.tabs = make("div", { class: "phone-people", role: "tablist", "aria-label": "Whose phone" });
    this.tabs.addEventListener("keydown", (event) => this.moveTab(event));
    this.clock = make("span", {}, "");
    const status = make("div", { class: "phone-status", "aria-hidden": "true" }, this.clock, make("span"));
    status.lastChild.innerHTML = ICONS.status;
    this.barFace = make("span");
    this.barName = make("strong", {}, "…");
    this.barState = make("span", { role: "status" }, "Connecting…");
    const bar = make("header", { class: "phone-bar" }, this.barFace, make("div", { class: "phone-bar-text" }, this.barName, this.barState));
    this.thread = make("ol", { class: "phone-thread" });
    this.scroll = make("div", { class: "phone-scroll", tabindex: "0", role: "region", "aria-label": "Messages" }, this.thread);
    this.live = make("div", { class: "phone-quiet", role: "log", "aria-live": "polite" });
    this.replies = make("div", { class: "phone-replies", role: "group", "aria-label": "Quick replies", hidden: true });
    this.problem = make("p", { class: "phone-problem", role: "alert", hidden: true });
    this.input = make("textarea", {
      rows: "1", placeholder: "Aa", "aria-label": "Message", enterkeyhint: "send", autocomplete: "off", maxlength: "5000",
    });
    this.button = make("button", { class: "phone-send", type: "submit", "aria-label": "Send a thumbs up" }, icon("thumb"));
    const composer = make("form", { class: "phone-composer" }, this.input, this.button);
    composer.addEventListener("submit", (event) => { event.preventDefault(); this.submit(); });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); if (this.input.value.trim()) this.submit(); }
    });
    this.input.addEventListener("input", () => this.showButton());
    this.device = make("div", { class: "phone-device", role: "tabpanel", id: `phone-${Math.random().toString(36).slice(2)}` },
      status, bar, this.scroll, this.live, this.replies, this.problem, composer, make("div", { class: "phone-home", "aria-hidden": "true" }));
    this.host.classList.add("phone");
    this.host.replaceChildren(this.tabs, this.device);
  }

  /** Follows the live events; after a break or a lag everything is read again. */
  listen() {
    const query = this.pageId ? `?page=${encodeURIComponent(this.pageId)}` : "";
    const events = new EventSource(`${this.base}/_control/events${query}`);
    events.addEventListener("hello", () => this.load());
    events.addEventListener("reset", () => this.load());
    events.addEventListener("phone", (event) => this.happened(JSON.parse(event.data)));
    events.addEventListener("error", () => this.showState("Connecting…", "lost"));
    document.addEventListener("visibilitychange", () => this.readThread());
  }

  async load() {
    const query = this.pageId ? `?page=${encodeURIComponent(this.pageId)}` : "";
    const answer = await fetch(`${this.base}/_control/phone${query}`).catch(() => null);
    if (!answer?.ok) {
      this.showState(answer?.status === 404 ? "No page yet" : "Connecting…", "lost");
      return;
    }
    const shown = await answer.json();
    this.page = shown.page;
    this.clockOffset = shown.now_ms - Date.now();
    this.people = new Map(shown.people.map((person) => [person.id, person]));
    this.barFace.replaceChildren(face(shown.page.name));
    this.barName.textContent = shown.page.name;
    this.showState("Typically replies instantly");
    if (!this.people.has(this.chosen)) this.chosen = this.firstPerson();
    this.showClock();
    this.showTabs();
    this.showThread();
  }

  firstPerson() {
    const named = [...this.people.values()].find((person) => person.name.startsWith(this.host.dataset.person ?? "\n"));
    return (named ?? this.people.values().next().value)?.id ?? null;
  }

  happened(event) {
    if (this.page && event.page !== this.page.id) return;
    const person = this.people.get(event.person);
    if (event.kind === "person" || !person) { this.load(); return; }
    const chosen = event.person === this.chosen;
    switch (event.kind) {
      case "message": {
        if (person.messages.some((message) => message.id === event.message.id)) break;
        person.messages.push(event.message);
        if (event.message.author !== "person") this.stopTyping(event.person);
        if (chosen) this.showThread(event.message.id);
        else if (event.message.author !== "person") this.unread.set(event.person, (this.unread.get(event.person) ?? 0) + 1);
        if (event.message.author !== "person") this.announce(person, event.message);
        this.showTabs();
        this.host.dispatchEvent(new CustomEvent("phone:message", { bubbles: true, detail: event }));
        break;
      }
      case "typing":
        this.stopTyping(event.person);
        if (event.on) this.typing.set(event.person, setTimeout(() => { this.stopTyping(event.person); this.showThread(); }, TYPING_MS));
        if (chosen) this.showThread();
        break;
      case "progress":
        for (const message of person.messages) {
          if (message.author !== "person" || (event.message && event.message !== message.id)) continue;
          if (message.status !== "read") message.status = event.status;
        }
        if (chosen) this.showThread();
        break;
      case "reaction": {
        const message = person.messages.find((message) => message.id === event.message);
        if (message) message.reaction = event.emoji;
        if (chosen) this.showThread();
        break;
      }
    }
  }

  stopTyping(person) {
    clearTimeout(this.typing.get(person));
    this.typing.delete(person);
  }

  /** Tells a screen reader about the new message only; the thread itself is not read again. */
  announce(person, message) {
    const words = message.text ?? message.attachment?.payload?.text ?? "sent an attachment";
    const whose = person.id === this.chosen ? "" : `to ${person.name}, `;
    this.live.replaceChildren(make("p", {}, `${this.page.name}, ${whose}${words}`));
  }

  showState(text, state = "fine") {
    this.barState.textContent = text;
    this.barState.dataset.state = state;
  }

  showClock() {
    this.clock.textContent = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" })
      .format(Date.now() + this.clockOffset).replace(/\s?[AP]M$/i, "");
  }

  showButton() {
    const thumb = this.input.value.trim() === "";
    if (this.button.dataset.thumb === String(thumb)) return;
    this.button.dataset.thumb = String(thumb);
    this.button.setAttribute("aria-label", thumb ? "Send a thumbs up" : "Send");
    this.button.replaceChildren(icon(thumb ? "thumb" : "send"));
  }

  showTabs() {
    this.tabs.hidden = this.people.size < 2;
    const focused = this.tabs.contains(document.activeElement);
    this.tabs.replaceChildren(...[...this.people.values()].map((person) => {
      const unread = this.unread.get(person.id) ?? 0;
      const selected = person.id === this.chosen;
      const badge = unread ? make("span", { class: "phone-unread" }, String(unread), make("span", { class: "phone-quiet" }, " new")) : null;
      return make("button", {
        class: "phone-tab", role: "tab", type: "button", id: `${this.device.id}-${person.id}`, "data-person": person.id,
        "aria-selected": String(selected), "aria-controls": this.device.id, tabindex: selected ? "0" : "-1",
        onclick: () => this.select(person.id),
      }, face(person.name), person.name.split(" ")[0], badge);
    }));
    this.device.setAttribute("aria-labelledby", `${this.device.id}-${this.chosen}`);
    if (focused) this.tabs.querySelector('[aria-selected="true"]')?.focus();
  }

  moveTab(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const ids = [...this.people.keys()];
    const forward = getComputedStyle(this.tabs).direction === "rtl" ? -step : step;
    this.select(ids[(ids.indexOf(this.chosen) + forward + ids.length) % ids.length]);
    this.tabs.querySelector('[aria-selected="true"]').focus();
  }

  select(person) {
    if (!this.people.has(person)) return;
    this.chosen = person;
    this.unread.delete(person);
    this.problem.hidden = true;
    this.showTabs();
    this.showThread();
    this.host.dispatchEvent(new CustomEvent("phone:person", { bubbles: true, detail: { person } }));
  }

  /** Draws the thread. `fresh` is the message that has just come and moves in. */
  showThread(fresh = null) {
    const person = this.people.get(this.chosen);
    if (!person) {
      this.thread.replaceChildren(this.empty("No customers yet", "Add one with /_control/add-person."));
      return;
    }
    const messages = person.messages;
    const atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
    const lastMine = messages.findLast((message) => message.author === "person");
    const rows = messages.flatMap((message, place) => {
      const [before, after] = [messages[place - 1], messages[place + 1]];
      const near = (other) => other && (other.author === "person") === (message.author === "person") && Math.abs(other.at_ms - message.at_ms) < GROUP_MS;
      const time = !before || message.at_ms - before.at_ms > TIME_MS ? [this.timeRow(message.at_ms)] : [];
      const typingFollows = !after && message.author !== "person" && this.typing.has(person.id);
      const row = this.row(message, { next: near(before) && !time.length, end: !near(after) && !typingFollows, fresh: message.id === fresh });
      return message === lastMine ? [...time, row, this.receipt(message)] : [...time, row];
    });
    if (this.typing.has(person.id)) rows.push(this.typingRow());
    if (!rows.length) rows.push(this.empty(this.page.name, `Write as ${person.name.split(" ")[0]}. Your messages take the same way as real ones.`));
    this.thread.replaceChildren(...rows);
    this.showReplies(messages);
    if (atEnd || fresh || this.shown !== person.id) this.scroll.scrollTop = this.scroll.scrollHeight;
    this.shown = person.id;
    this.readThread();
  }

  empty(title, text) {
    return make("li", { class: "phone-empty" }, face(title), make("strong", {}, title), make("p", {}, text));
  }

  timeRow(at) {
    const today = new Date(Date.now() + this.clockOffset).toDateString() === new Date(at).toDateString();
    const options = { hour: "numeric", minute: "2-digit", ...(today ? {} : { weekday: "short", day: "numeric", month: "short" }) };
    return make("li", { class: "phone-time" }, make("time", { datetime: new Date(at).toISOString() }, new Intl.DateTimeFormat(undefined, options).format(at)));
  }

  row(message, { next, end, fresh }) {
    const mine = message.author === "person";
    const stack = make("div", { class: "phone-stack", title: new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(message.at_ms) },
      make("span", { class: "phone-quiet" }, mine ? "You: " : `${this.page.name}: `),
      message.author === "staff" && !next ? make("span", { class: "phone-by" }, "A colleague, from Meta’s inbox") : null,
      message.text !== null ? make("div", { class: `phone-bubble${isOnlyEmoji(message.text) ? " is-emoji" : ""}`, dir: "auto" }, ...linked(message.text)) : null,
      message.attachment ? this.attachment(message.attachment) : null,
      message.reaction ? make("span", { class: "phone-reaction", "aria-label": `Reaction ${message.reaction}` }, message.reaction) : null);
    const kind = `phone-row ${mine ? "is-mine" : "is-theirs"}${next ? " is-next" : ""}${end ? " is-end" : ""}${fresh ? " is-new" : ""}`;
    return make("li", { class: kind, "data-message": message.id }, mine ? null : face(this.page.name), stack);
  }

  typingRow() {
    const dots = make("div", { class: "phone-bubble phone-dots" }, make("i"), make("i"), make("i"), make("span", { class: "phone-quiet" }, `${this.page.name} is typing`));
    return make("li", { class: "phone-row is-theirs is-end" }, face(this.page.name), dots);
  }

  receipt(message) {
    const words = { sent: "Sent", delivered: "Delivered", read: "Seen" }[message.status];
    const mark = message.status === "read" ? face(this.page.name) : icon(message.status, 16);
    return make("li", { class: "phone-receipt", "data-status": message.status }, mark, words);
  }

  attachment(attachment) {
    const { type, payload = {} } = Array.isArray(attachment) ? attachment[0] : attachment;
    if (type === "template") return this.template(payload);
    if (type === "sticker") return make("div", { class: "phone-bubble is-emoji", role: "img", "aria-label": "Thumbs up" }, "👍");
    if (type === "image" && isWebAddress(payload.url)) return make("div", { class: "phone-bubble" }, make("img", { src: payload.url, alt: "Picture", loading: "lazy" }));
    const name = { video: "🎬 Video", audio: "🎧 Audio message", file: "📄 File", image: "🖼️ Picture" }[type] ?? "📎 Attachment";
    return make("div", { class: "phone-bubble" }, isWebAddress(payload.url) ? make("a", { href: payload.url, target: "_blank", rel: "noopener noreferrer" }, name) : name);
  }

  template(payload) {
    const card = (item) => make("div", { class: "phone-card" },
      isWebAddress(item.image_url) ? make("img", { src: item.image_url, alt: "" }) : null,
      item.title || item.text ? make("p", { dir: "auto" }, item.title ?? item.text) : null,
      item.subtitle ? make("p", { dir: "auto" }, item.subtitle) : null,
      ...(item.buttons ?? []).map((button) => isWebAddress(button.url)
        ? make("a", { href: button.url, target: "_blank", rel: "noopener noreferrer" }, button.title ?? "Open")
        : make("button", { type: "button", onclick: () => this.act("taps", { title: button.title, payload: button.payload ?? "" }) }, button.title ?? "")));
    const items = payload.template_type === "button" ? [payload] : payload.elements ?? [payload];
    return make("div", { class: "phone-stack" }, ...items.map(card));
  }

  /** Quick replies stand only below the newest message; an empty thread offers something to say. */
  showReplies(messages) {
    const newest = messages.at(-1);
    const offered = newest && newest.author !== "person" ? newest.quick_replies : [];
    const name = this.people.get(this.chosen)?.name ?? "";
    const suggested = messages.length ? [] : Array.isArray(this.suggestions) ? this.suggestions : this.suggestions[name] ?? this.suggestions[name.split(" ")[0]] ?? [];
    const focused = this.replies.contains(document.activeElement);
    this.replies.replaceChildren(
      ...offered.map((reply) => make("button", { class: "phone-reply", type: "button", dir: "auto", onclick: () => this.act("answers", { title: reply.title, payload: reply.payload }) }, reply.title)),
      ...suggested.map((text) => make("button", { class: "phone-reply", type: "button", dir: "auto", onclick: () => this.act("says", { text }) }, text)));
    this.replies.classList.toggle("is-suggested", suggested.length > 0);
    this.replies.setAttribute("aria-label", suggested.length ? "Suggestions" : "Quick replies");
    this.replies.hidden = !offered.length && !suggested.length;
    if (focused && !this.replies.contains(document.activeElement)) this.input.focus();
  }

  /** Reports the newest message of the Page as read, once, while somebody can see it. */
  readThread() {
    if (document.visibilityState !== "visible") return;
    const person = this.people.get(this.chosen);
    const newest = person?.messages.findLast((message) => message.author !== "person");
    if (!newest || newest.status === "read") return;
    newest.status = "read";
    this.post("reads", {}).catch(() => {});
  }

  async submit() {
    const text = this.input.value.trim();
    this.input.value = "";
    this.showButton();
    this.input.focus();
    const sent = text ? await this.act("says", { text }) : await this.act("thumb", {});
    if (!sent && text && !this.input.value) { this.input.value = text; this.showButton(); }
  }

  /** Does something as the chosen customer; `false` and a sentence on the phone when it did not work. */
  async act(verb, fields) {
    try {
      await this.post(verb, fields);
      this.problem.hidden = true;
      return true;
    } catch {
      this.problem.textContent = "That did not go out. Check that the simulator is running, then try again.";
      this.problem.hidden = false;
      return false;
    }
  }

  async post(verb, fields) {
    const answer = await fetch(`${this.base}/_control/${verb}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ page: this.page?.id, person: this.chosen, ...fields }),
    });
    if (!answer.ok) throw new Error(`the control answered ${answer.status}`);
    return answer.json();
  }
}

for (const host of document.querySelectorAll("[data-phone]")) {
  const phone = new Phone(host);
  host.phone = { select: (person) => phone.select(person), say: (text) => phone.act("says", { text }) };
}
