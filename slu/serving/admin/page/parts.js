// What all parts of the page are made of. Whatever comes from the server is set as text, never as HTML.
"use strict";

const $ = (id) => document.getElementById(id);
const ADMIN_HOME = "/admin/";
let language = (localStorage.getItem("language") || navigator.language).startsWith("id") ? "id" : "en";
let text = TEXTS[language];

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const when = (time) => new Date(time).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
const percent = (share) => (share === null || share === undefined ? "–" : `${Math.round(100 * share)} %`);
const figure = (value, digits = 3) => (value === null || value === undefined ? "–" : Number(value).toFixed(digits));
const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;

// `parts` are nodes or texts; what is null is left out.
function element(kind, parts = [], attributes = {}) {
  const node = document.createElement(kind);
  node.append(...[parts].flat(Infinity).filter((part) => part !== null && part !== undefined));
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  return node;
}

const button = (words, onclick, attributes = {}) => element("button", words, { type: "button", onclick, ...attributes });
const section = (title, ...parts) => element("section", [element("h2", title), ...parts]);
const note = (words, style = "note") => element("p", words, { class: style });
const tag = (words, style = "") => element("span", words, { class: `tag ${style}` });

// The sentence about the last action; what the server says is English.
function say(words, style = "", spoken = language) {
  $("said").textContent = words;
  $("said").className = style;
  $("said").lang = spoken;
}

// The answer; null for what was refused, which has then been said. With a body it is a POST.
async function api(path, body) {
  const posted = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await fetch(ADMIN_HOME + path, body === undefined ? {} : posted).catch(() => null);
  if (!response) return say(text.offline, "not"), null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401 && path !== "login") enter(false);
  say(answer.detail || text.offline, "not", "en");
  return null;
}

// Columns are [title, is a number]; a row holds texts or nodes.
function table(columns, rows) {
  const style = (place) => ({ class: columns[place][1] ? "number" : null });
  const head = element("tr", columns.map(([title], place) => element("th", title, { scope: "col", ...style(place) })));
  const body = rows.map((cells) => element("tr", cells.map((cell, place) => element("td", cell, style(place)))));
  return element("div", element("table", [element("thead", head), element("tbody", body)]), { class: "wide", tabindex: "0" });
}

function facts(pairs) {
  return element("dl", pairs.filter(([, value]) => value !== "").flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

function field(words, control) {
  return element("label", [`${words} `, control]);
}

function choice(options, value) {
  const node = element("select", options.map(([name, words]) => new Option(words, name)));
  node.value = value;
  return node;
}

// Asks once before something moves or ends: a reason (perhaps empty) for yes, null for no.
function sure(question, yes, withReason = false) {
  $("question").textContent = question;
  $("yes").textContent = yes;
  $("why").value = "";
  $("why-row").hidden = !withReason;
  $("ask").returnValue = "no";
  $("ask").showModal();
  return new Promise((resolve) => {
    $("ask").onclose = () => resolve($("ask").returnValue === "yes" ? $("why").value : null);
  });
}
