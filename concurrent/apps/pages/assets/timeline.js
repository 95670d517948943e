// Draws what ran where as bars on a canvas: a lane for each worker, a colour for each function, failed runs hatched.
// A viewer follows what comes in, or looks at a part of the past, of which the node is asked then.

const LANE_MAX = 18;
const LANE_MIN = 5;
const AXIS = 22;
const HEIGHT_WANTED = 480;
const BARS_MAX = 100000;
const SPAN_START_S = 120;
const SPAN_MIN_S = 0.05;
const SPAN_MAX_S = 24 * 3600;
const LEGEND_MAX = 12;
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400];

/** The bars that came from the node: in columns by lane, with the names that they refer to. */
class Bars {
  lanes = new Map();
  functions = new Map();
  all = [];

  /** Take what the node has answered; with `isAnew` what was there is forgotten. */
  add(answer, isAnew) {
    if (isAnew) this.all = [];
    const lanes = answer.lanes.map(({ slave, worker }) => numberOf(this.lanes, `${slave} ${worker}`, { slave, worker }));
    const functions = answer.functions.map((one) => numberOf(this.functions, `${one.job} ${one.name}`, one));
    for (const [lane, fn, start, duration, busy, runs, failed] of answer.items) {
      this.all.push({ lane: lanes[lane], fn: functions[fn], start, stop: start + duration, busy, runs, failed });
    }
    if (this.all.length > BARS_MAX) this.all.splice(0, this.all.length - BARS_MAX);
  }

  /** Return what runs now as bars that end now. */
  running(rows, now) {
    return rows.map(([slave, worker, job, name, start]) => ({
      lane: numberOf(this.lanes, `${slave} ${worker}`, { slave, worker }),
      fn: numberOf(this.functions, `${job} ${name}`, { job, name }),
      start, stop: Math.max(now, start), busy: now - start, runs: 0, failed: 0,
    }));
  }

  /** Return when the first of the bars began. */
  first(otherwise) {
    return this.all.reduce((least, bar) => Math.min(least, bar.start), otherwise);
  }
}

function numberOf(map, key, value) {
  if (!map.has(key)) map.set(key, { ...value, number: map.size });
  return map.get(key);
}

export class Timeline {
  #live = new Bars();
  #past = null;
  #after = 0;
  #span = SPAN_START_S;
  #stop = 0;
  #isLive = true;
  #isAsking = false;
  #offset = 0;
  #leftOut = 0;
  #timer = 0;
  #drawn = { lanes: [], height: LANE_MAX, bars: [] };

  /** Draw within an element; `call` asks the node. */
  constructor(root, call) {
    this.root = root;
    this.call = call;
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", "Timeline of workers; the table below has the same in words");
    this.canvas.setAttribute("aria-describedby", "timeline-how");
    this.frame = part("div", "wide");
    this.frame.append(this.canvas);
    this.tip = part("p", "tip soft");
    this.tip.setAttribute("role", "status");
    this.legend = part("ul", "legend");
    this.root.append(this.#controls(), this.frame, this.tip, this.legend);
    this.#listen();
  }

  /** Ask for what is new, and draw; what runs now stands beside the place. */
  async update() {
    this.#offset = Number(this.root.dataset.now) - Date.now() / 1000;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const answer = await this.call("timeline", { after: this.#after });
      this.#live.add(answer, answer.is_anew || !this.#after);
      if (!this.#after && answer.after) this.#span = Math.min(this.#span, Math.max(10, this.#now() - this.#live.first(this.#now())));
      this.#after = answer.after;
    } finally {
      this.#isAsking = false;
    }
    if (this.#isLive) this.draw();
  }

  #now() {
    return Date.now() / 1000 + this.#offset;
  }

  #controls() {
    const all = part("p", "controls");
    const make = (label, name, act) => {
      const button = part("button", "");
      button.type = "button";
      button.textContent = label;
      button.setAttribute("aria-label", name);
      button.addEventListener("click", act);
      all.append(button);
    };
    make("\u25C0", "Earlier", () => this.#move(-0.5));
    make("\u25B6", "Later", () => this.#move(0.5));
    make("+", "Zoom in", () => this.#zoom(0.5));
    make("\u2212", "Zoom out", () => this.#zoom(2));
    make("Now", "Follow what comes in", () => this.#follow());
    this.said = part("span", "soft");
    all.append(" ", this.said);
    return all;
  }

  #listen() {
    const { canvas } = this;
    const keys = {
      ArrowLeft: () => this.#move(-0.2), ArrowRight: () => this.#move(0.2), "+": () => this.#zoom(0.5),
      "=": () => this.#zoom(0.5), "-": () => this.#zoom(2), Home: () => this.#all(), End: () => this.#follow(),
    };
    canvas.addEventListener("keydown", (event) => {
      const act = event.ctrlKey || event.metaKey || event.altKey ? null : keys[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#timeAt(event));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.grabbed = event.clientX;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.grabbed === undefined) return this.#point(event);
      const moved = event.clientX - this.grabbed;
      if (Math.abs(moved) < 3) return;
      this.grabbed = event.clientX;
      this.#move(-moved / canvas.clientWidth);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => { this.grabbed = undefined; });
    }
    canvas.addEventListener("dblclick", (event) => this.#zoom(0.5, this.#timeAt(event)));
    new ResizeObserver(() => this.draw()).observe(this.root);
  }

  #window() {
    const stop = this.#isLive ? this.#now() : this.#stop;
    return [stop - this.#span, stop];
  }

  #timeAt(event) {
    const [start] = this.#window();
    const box = this.canvas.getBoundingClientRect();
    return start + ((event.clientX - box.left) / box.width) * this.#span;
  }

  #move(share) {
    const [, stop] = this.#window();
    this.#show(stop + share * this.#span);
  }

  #zoom(factor, around) {
    const [start, stop] = this.#window();
    const span = Math.min(Math.max(this.#span * factor, SPAN_MIN_S), SPAN_MAX_S);
    const fixed = around ?? (this.#isLive ? stop : (start + stop) / 2);
    const wanted = fixed + ((stop - fixed) * span) / this.#span;
    this.#span = span;
    if (this.#isLive && around === undefined) this.draw();
    else this.#show(wanted);
  }

  /** Show all that is known, up to now. */
  #all() {
    this.#span = Math.min(Math.max(this.#now() - this.#live.first(this.#now()), SPAN_MIN_S), SPAN_MAX_S);
    this.#follow();
  }

  #follow() {
    this.#isLive = true;
    this.#past = null;
    this.draw();
  }

  /** Show the time up to a moment; what lies in it is asked for when the viewer rests. */
  #show(stop) {
    if (stop >= this.#now()) return this.#follow();
    this.#isLive = false;
    this.#stop = stop;
    this.draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#askPast(), 250);
  }

  async #askPast() {
    const [start, stop] = this.#window();
    let answer;
    try {
      answer = await this.call("timeline", { start_at: start, stop_at: stop });
    } catch {
      return; // the page asks by itself too, and says that it got no answer
    }
    const past = new Bars();
    past.lanes = this.#live.lanes;
    past.functions = this.#live.functions;
    past.add(answer, true);
    this.#past = past;
    this.#leftOut = answer.left_out;
    this.draw();
  }

  draw() {
    const [start, stop] = this.#window();
    const slave = (this.root.dataset.slave || "").toLowerCase();
    const source = this.#isLive ? this.#live : this.#past ?? this.#live;
    const running = source.running(JSON.parse(this.root.dataset.running), this.#now());
    const bars = [...source.all, ...running].filter((bar) => bar.stop >= start && bar.start <= stop &&
      (!slave || bar.lane.slave.toLowerCase().includes(slave)));
    const lanes = [...new Set(bars.map((bar) => bar.lane))].sort(byPlace);
    const height = Math.max(LANE_MIN, Math.min(LANE_MAX, Math.floor(HEIGHT_WANTED / Math.max(lanes.length, 1))));
    this.#drawn = { lanes, height, bars };
    const pen = prepared(this.canvas, this.frame.clientWidth, AXIS + Math.max(lanes.length * height, LANE_MAX * 3));
    const colours = getComputedStyle(document.documentElement);
    const x = (at) => ((at - start) / (stop - start)) * this.canvas.clientWidth;
    drawAxis(pen, this.canvas, start, stop, x, colours);
    const row = new Map(lanes.map((lane, index) => [lane, AXIS + index * height]));
    for (const bar of bars) drawBar(pen, bar, x(bar.start), Math.max(x(bar.stop) - x(bar.start), 1), row.get(bar.lane), height);
    drawNames(pen, lanes, height, colours);
    this.#say(bars, lanes);
    this.#drawLegend(bars);
  }

  #say(bars, lanes) {
    const hidden = !this.#isLive && this.#leftOut ? `; ${this.#leftOut.toLocaleString()} older ones are left out, zoom in` : "";
    const mode = this.#isLive ? "following" : "standing";
    const text = `${inTime(this.#span)}, ${mode}: ${bars.length.toLocaleString()} bars of ${lanes.length} workers${hidden}`;
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  #drawLegend(bars) {
    const runs = new Map();
    for (const bar of bars) runs.set(bar.fn, (runs.get(bar.fn) ?? 0) + Math.max(bar.runs, 1));
    const most = [...runs].sort((a, b) => b[1] - a[1]).slice(0, LEGEND_MAX);
    const items = most.map(([fn, count]) => [fn, `${fn.name || "other"} (${count.toLocaleString()})`]);
    const wanted = items.map(([, text]) => text).join("\n");
    if (this.legend.dataset.text === wanted) return;
    this.legend.dataset.text = wanted;
    this.legend.replaceChildren(...items.map(([fn, text]) => {
      const item = part("li", "");
      const swatch = prepared(part("canvas", ""), 16, 16);
      swatch.fillStyle = colourOf(fn);
      swatch.fillRect(0, 0, 16, 16);
      item.append(swatch.canvas, text);
      return item;
    }));
  }

  /** Say what is under the pointer. */
  #point(event) {
    const { lanes, height, bars } = this.#drawn;
    const box = this.canvas.getBoundingClientRect();
    const lane = lanes[Math.floor((event.clientY - box.top - AXIS) / height)];
    const at = this.#timeAt(event);
    const near = (this.#span / box.width) * 2;
    const bar = bars.findLast((one) => one.lane === lane && one.start - near <= at && at <= one.stop + near);
    this.tip.textContent = bar ? described(bar) : lane ? `${lane.slave}, process ${lane.worker}` : "";
  }
}

function byPlace(a, b) {
  return a.slave < b.slave ? -1 : a.slave > b.slave ? 1 : a.worker - b.worker;
}

function part(tag, name) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  return made;
}

/** Give a canvas a size, and return what draws on it. */
function prepared(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  return pen;
}

function drawAxis(pen, canvas, start, stop, x, colours) {
  const step = STEPS.find((one) => (stop - start) / one <= Math.max(2, canvas.clientWidth / 110)) ?? STEPS.at(-1);
  pen.fillStyle = colours.getPropertyValue("--soft");
  pen.strokeStyle = colours.getPropertyValue("--line");
  pen.font = "12px system-ui, sans-serif";
  pen.lineWidth = 1;
  for (let at = Math.ceil(start / step) * step; at <= stop; at += step) {
    pen.beginPath();
    pen.moveTo(x(at) + 0.5, AXIS - 6);
    pen.lineTo(x(at) + 0.5, canvas.clientHeight || 2000);
    pen.stroke();
    pen.fillText(clock(at, step), x(at) + 3, AXIS - 8);
  }
}

function drawBar(pen, bar, x, width, y, height) {
  pen.fillStyle = colourOf(bar.fn);
  pen.globalAlpha = bar.runs ? 1 : 0.5;
  pen.fillRect(x, y + 1, width, height - 2);
  pen.globalAlpha = 1;
  if (!bar.failed) return;
  pen.save();
  pen.beginPath();
  pen.rect(x, y + 1, Math.max(width, 3), height - 2);
  pen.clip();
  pen.fillStyle = "#fff";
  pen.strokeStyle = "#a8201a";
  pen.fillRect(x, y + 1, Math.max(width, 3), height - 2);
  pen.lineWidth = 2;
  for (let at = x - height; at < x + Math.max(width, 3); at += 5) {
    pen.beginPath();
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
    pen.stroke();
  }
  pen.restore();
}

/** Write the names of slaves where their first lane begins, as far as there is room. */
function drawNames(pen, lanes, height, colours) {
  let last = "";
  let free = 0;
  pen.font = "11px system-ui, sans-serif";
  lanes.forEach(({ slave }, index) => {
    const y = AXIS + index * height;
    if (slave !== last && y >= free) {
      const width = pen.measureText(slave).width;
      pen.globalAlpha = 0.75;
      pen.fillStyle = colours.getPropertyValue("--raised");
      pen.fillRect(0, y + 1, width + 8, 13);
      pen.globalAlpha = 1;
      pen.fillStyle = colours.getPropertyValue("--ink");
      pen.fillText(slave, 4, y + 11);
      free = y + 14;
    }
    last = slave;
  });
}

/** Return the colour of a function: far from those of its neighbours, none of them red, and the same while the page is open. */
function colourOf(fn) {
  return `hsl(${30 + Math.round((fn.number * 137.508 + 175) % 300)} 50% ${fn.number % 2 ? 42 : 55}%)`;
}

function described(bar) {
  const { fn, lane, start, stop, runs, failed, busy } = bar;
  const many = !runs ? "runs now" : runs > 1 ? `${runs.toLocaleString()} runs, each about ${inTime(busy / runs)}` : "1 run";
  const bad = failed ? `, ${failed.toLocaleString()} failed` : "";
  const whose = fn.job ? ` of ${fn.job}` : "";
  return `${fn.name || "other tasks"}${whose}: ${many}${bad}, ${inTime(stop - start)} from ${clock(start, 0.1)} on ` +
    `${lane.slave}, process ${lane.worker}`;
}

function inTime(seconds) {
  if (seconds < 1) return `${(seconds * 1000).toPrecision(3)} ms`;
  if (seconds < 120) return `${Number(seconds.toPrecision(3))} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function clock(at, step) {
  const time = new Date(at * 1000);
  const text = time.toTimeString().slice(0, step < 60 ? 8 : 5);
  return step < 1 ? `${text}.${String(time.getMilliseconds()).padStart(3, "0")}` : text;
}
