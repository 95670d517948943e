// Changes what a page shows where it differs from what it shall show, and leaves all else alone: what somebody
// has focused, selected, scrolled or opened stays. Names that peers chose become texts, never markup.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "line", "polyline", "rect", "text", "title"]);
const TAGS = new Set([
  ...SVG_TAGS, "a", "br", "button", "canvas", "code", "dd", "details", "div", "dl", "dt", "em", "form", "h2", "h3", "input",
  "label", "li", "ol", "option", "p", "pre", "progress", "section", "select", "span", "strong", "summary", "table", "tbody",
  "td", "th", "thead", "time", "tr", "ul",
]);
const ATTRIBUTES = /^(aria-[a-z]+|data-[a-z-]+|action|class|colspan|d|datetime|fill|height|href|id|max|method|name|open|points|rel|role|scope|selected|required|stroke|tabindex|title|type|value|viewBox|preserveAspectRatio|width|x|x1|x2|y|y1|y2|list|download)$/;
const ADDRESS = /^(\/(?!\/)|\?|#|https?:\/\/)/;

/** Give an element the children that are wanted: texts, and lists of tag, attributes and children. */
export function patch(parent, wanted) {
  const focused = document.activeElement;
  change(parent, wanted);
  if (focused && focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
  }
}

function change(parent, wanted) {
  const byKey = keyed(parent, wanted);
  let next = parent.firstChild;
  for (const one of wanted) {
    if (typeof one === "string") {
      if (next && next.nodeType === Node.TEXT_NODE) {
        if (next.data !== one) next.data = one;
        next = next.nextSibling;
      } else {
        parent.insertBefore(document.createTextNode(one), next);
      }
      continue;
    }
    const [tag, attributes, ...children] = one;
    if (!TAGS.has(tag)) continue;
    const key = keyOf(attributes);
    let found = key ? byKey.get(key) : isLike(next, tag) ? next : null;
    byKey.delete(key);
    const isNew = !found || found.localName !== tag;
    if (isNew) found = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
    if (found === next) next = next.nextSibling;
    else move(parent, found, next);
    setAttributes(found, attributes, isNew);
    if (!("data-live" in attributes)) change(found, children);
  }
  while (next) {
    const rest = next.nextSibling;
    next.remove();
    next = rest;
  }
}

/** Return the children of an element that have a key, and remove those whose key is not wanted any more. */
function keyed(parent, wanted) {
  const keys = new Set(wanted.map((one) => (typeof one === "string" ? "" : keyOf(one[1]))));
  const byKey = new Map();
  for (const child of [...parent.children]) {
    const key = child.dataset.key || child.id;
    if (!key) continue;
    if (keys.has(key)) byKey.set(key, child);
    else child.remove();
  }
  return byKey;
}

function keyOf(attributes) {
  return attributes["data-key"] || attributes.id || "";
}

function isLike(node, tag) {
  return node && node.nodeType === Node.ELEMENT_NODE && node.localName === tag && !(node.dataset.key || node.id);
}

/** Put an element before another; one that is there already keeps the focus where the browser can do that. */
function move(parent, element, next) {
  if (element.isConnected && parent.moveBefore) parent.moveBefore(element, next);
  else parent.insertBefore(element, next);
}

/** Set attributes; whether somebody has opened something is his affair once it is there. */
function setAttributes(element, wanted, isNew) {
  for (const { name } of [...element.attributes]) {
    if (name in wanted || name === "open") continue;
    element.removeAttribute(name);
    if (name === "selected") element.selected = false;
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (!ATTRIBUTES.test(name) || ((name === "href" || name === "action") && !ADDRESS.test(value))) continue;
    if ((name === "open" && !isNew) || element.getAttribute(name) === value) continue;
    element.setAttribute(name, value);
    if (name === "value" && element.localName === "input") element.value = value;
    if (name === "selected") element.selected = true;
  }
}
