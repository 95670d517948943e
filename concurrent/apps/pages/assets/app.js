// Asks the node each second what a page shall show, and has it shown. It waits longer and longer while the node is
// away, and asks nothing while nobody sees the page. What a viewer wants to see is in the address.

import { patch } from "./patch.js";
import { Timeline } from "./timeline.js";

const PERIOD_MS = 1000;
const LONGEST_MS = 30000;
const TIMEOUT_MS = 15000;

const main = document.getElementById("main");
const connection = document.getElementById("connection");

/** The node has answered that it does not do what it was asked. */
class Refusal extends Error {}

/** Nobody is logged in here any more. */
class LoggedOut extends Error {}

/** Call a method of the node and return its result. */
async function call(method, params) {
  const answer = await fetch("/api/1", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status === 401) throw new LoggedOut();
  const { result, error } = await answer.json();
  if (error) throw new Refusal(error.message);
  return result;
}

class Poller {
  #timer = 0;
  #turn = 0;
  #failures = 0;
  #shownAt = new Date();
  #isOver = false;

  start() {
    document.addEventListener("visibilitychange", () => this.now());
    window.addEventListener("popstate", () => this.now());
    window.addEventListener("online", () => this.now());
    this.now();
  }

  /** Ask at once, and then again and again. */
  async now() {
    clearTimeout(this.#timer);
    if (document.hidden || this.#isOver) return;
    const turn = ++this.#turn;
    const began = performance.now();
    try {
      const query = Object.fromEntries(new URLSearchParams(location.search));
      const wanted = await call("page", { path: location.pathname, query });
      if (turn !== this.#turn) return;
      patch(main, wanted);
      keepAddress();
      await drawBars();
      this.#succeeded();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#failed(error);
    }
    const took = performance.now() - began;
    const wait = this.#failures ? PERIOD_MS * 2 ** this.#failures : Math.max(PERIOD_MS, 5 * took);
    this.#timer = setTimeout(() => this.now(), Math.min(wait, LONGEST_MS));
  }

  #succeeded() {
    this.#shownAt = new Date();
    if (this.#failures) say("The node answers again.");
    this.#failures = 0;
    main.classList.remove("stale");
  }

  #failed(error) {
    this.#failures += 1;
    main.classList.add("stale");
    if (error instanceof LoggedOut) {
      this.#isOver = true;
      say("You are not logged in any more. ", "bad");
      const link = document.createElement("a");
      link.href = "/login";
      link.textContent = "Log in";
      connection.append(link);
    } else if (error instanceof Refusal) {
      say(error.message, "bad");
    } else if (this.#failures === 1) {
      say(`The node does not answer. Shown is its state of ${this.#shownAt.toLocaleTimeString()}; it is asked again.`, "bad");
    }
  }
}

/** Have the address be one that is good for longer, if what is shown has one. */
function keepAddress() {
  const address = main.querySelector("[data-address]")?.dataset.address;
  if (address && address !== location.pathname + location.search) history.replaceState(null, "", address);
}

let timeline = null;

/** Draw the timeline, if the page has a place for one. */
async function drawBars() {
  const root = document.getElementById("bars");
  if (!root) return;
  if (timeline?.root !== root) timeline = new Timeline(root, call);
  await timeline.update();
}

/** Tell something, to those who hear the page too. */
function say(text, tone = "") {
  if (connection.textContent === text) connection.textContent = "";
  connection.className = `note ${tone}`.trim();
  connection.textContent = text;
}

/** Do what a button says, once that is confirmed. */
async function press(button) {
  const { method, params, ask } = button.dataset;
  if (ask && !window.confirm(ask)) return;
  button.disabled = true;
  try {
    say(`${button.textContent}: ${inWords(await call(method, JSON.parse(params)))}`);
  } catch (error) {
    say(error instanceof LoggedOut ? "You are not logged in any more." : `${button.textContent}: ${error.message}`, "bad");
  } finally {
    button.disabled = false;
  }
  poller.now();
}

/** Say what a method has returned: what there are numbers of, or that it is done. */
function inWords(result) {
  const said = Object.entries(result ?? {})
    .filter(([, value]) => typeof value === "number" && Number.isInteger(value) && value > 0)
    .map(([name, value]) => `${value.toLocaleString()} ${name.replaceAll("_", " ")}`);
  return said.length && typeof result === "object" ? said.join(", ") : "done";
}

/** Show another state of this page without loading it anew. */
function go(address) {
  history.pushState(null, "", address);
  poller.now();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-method]");
  if (button) press(button);
  const link = event.target.closest("#main a[href]");
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) && event.button === 0;
  if (link && isPlain && !link.target && !link.hasAttribute("download")) {
    const address = new URL(link.href);
    if (address.origin !== location.origin || address.pathname !== location.pathname || address.hash) return;
    event.preventDefault();
    go(address);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const address = new URL(form.action);
  if (form.method !== "get" || address.pathname !== location.pathname) return;
  event.preventDefault();
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  address.search = new URLSearchParams(fields);
  go(address);
});

document.documentElement.classList.add("scripted");
const poller = new Poller();
poller.start();
