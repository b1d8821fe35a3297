// Record or drop a clip, ask the server, show what it heard. No library, no build.
"use strict";

const LONGEST_MS = 15000;
const $ = (id) => document.getElementById(id);
let language = (localStorage.getItem("language") || navigator.language).startsWith("id") ? "id" : "en";
let text = TEXTS[language];
let recorder = null;
let models = [];
let current = null; // the answer that is shown, and can be corrected
let asked = 0; // clips so far: an answer that comes late is not shown
let seconds = 0; // of the clip that is drawn

function translate() {
  text = TEXTS[language];
  document.documentElement.lang = language;
  document.title = text.title;
  document.querySelectorAll("[data-text]").forEach((node) => (node.textContent = text[node.dataset.text]));
  $("language").textContent = text.other;
  $("language").lang = language === "id" ? "en" : "id";
  $("record").textContent = recorder ? text.stop : text.record;
  $("record").classList.toggle("on", recorder !== null);
  $("level").setAttribute("aria-label", text.level);
  $("wave").setAttribute("aria-label", `${text.wave}, ${seconds.toFixed(1)} s`);
  $("spectrum").setAttribute("aria-label", `${text.spectrum}, ${seconds.toFixed(1)} s`);
  $("scale").textContent = fill(text.scale, { s: seconds.toFixed(1), low: LOW, high: HIGH / 1000 });
  const days = document.body.dataset.keepDays;
  $("keeps").textContent = days ? `${text.stores} ${fill(text.keeps, { days })}` : text.stores;
}

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const shown = (label) => label || text.none;
const named = (head) => text.heads[head] || head;
const percent = (share) => `${Math.round(100 * share)} %`;

// `style` is empty for an answer, `quiet` for what only guides, `not` for what went wrong.
function say(words, style, note = "", spoken = language) {
  $("answer").removeAttribute("data-text");
  $("answer").textContent = words;
  $("answer").className = style;
  $("note").textContent = note;
  $("note").lang = spoken;
}

// What the server says is English: where the page has words of its own, they come first.
function refuse(status, detail) {
  const own = text.refused[status];
  say(own || detail, "not", own ? detail : "", "en");
}

function headers() {
  return $("key").value ? { "X-API-Key": $("key").value } : {};
}

async function listModels() {
  const response = await fetch("/models", { headers: headers() }).catch(() => null);
  if (!response) return say(text.offline, "not");
  $("key-row").hidden = response.status !== 401 && !$("key").value;
  if (response.status === 401) say(text.needsKey, $("key").value ? "not" : "quiet");
  if (!response.ok) return;
  const before = chosen();
  models = (await response.json()).filter((model) => model.task); // not those that were refused
  $("model").replaceChildren(...models.map((model) => new Option(`${model.task} (${model.version})`, model.version)));
  const same = models.find((model) => before && model.task === before.task);
  if (same) $("model").value = same.version;
}

function chosen() {
  return models.find((model) => model.version === $("model").value);
}

async function record() {
  if (recorder) return recorder.stop();
  if (!navigator.mediaDevices || !window.MediaRecorder) return say(window.isSecureContext ? text.missing : text.insecure, "not");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    return say(error.name === "NotAllowedError" ? text.denied : text.missing, "not");
  }
  const parts = [];
  recorder = new MediaRecorder(stream);
  const meter = watch(stream);
  const limit = setTimeout(() => recorder && recorder.stop(), LONGEST_MS);
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.onstop = () => {
    clearTimeout(limit);
    meter.close();
    stream.getTracks().forEach((track) => track.stop());
    const clip = new Blob(parts, { type: recorder.mimeType });
    recorder = null;
    translate();
    ask(clip);
  };
  recorder.start();
  translate();
  say(text.recording, "quiet");
}

// The level of the microphone on the meter, until the context is closed.
function watch(stream) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const show = () => {
    if (context.state === "closed") return void ($("level").value = 0);
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    $("level").value = Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-9) / 6));
    requestAnimationFrame(show);
  };
  show();
  return context;
}

async function ask(clip) {
  const turn = ++asked;
  current = null;
  say(text.asking, "quiet");
  $("details").replaceChildren();
  $("feedback").hidden = true;
  present(clip, turn);
  const form = new FormData();
  form.append("file", clip, "clip");
  const model = chosen(); // by its task, so that what is promoted answers a page that is open already
  if (model) form.append(...(models.filter((other) => other.task === model.task).length > 1 ? ["model", model.version] : ["task", model.task]));
  let response, answer;
  try {
    response = await fetch("/predict", { method: "POST", body: form, headers: headers() });
    answer = await response.json();
  } catch {
    return turn === asked && say(text.offline, "not");
  }
  if (turn !== asked) return;
  if (!response.ok) return refuse(response.status, answer.detail);
  current = answer;
  if (!models.some((other) => other.version === answer.model_version)) await listModels();
  show(answer);
  offerCorrection(answer);
  remember(answer);
}

// The clip itself, to be heard and seen.
async function present(clip, turn) {
  URL.revokeObjectURL($("play").src);
  $("play").src = URL.createObjectURL(clip);
  $("sound").hidden = false;
  const drawn = await draw(clip);
  if (turn !== asked) return;
  seconds = drawn;
  translate();
}

function show(answer) {
  const heard = Object.entries(answer.labels).filter(([, label]) => label !== "");
  const words = heard.map(([head, label]) => answer.display[head] || label).join(" × ");
  const reason = text.reasons[answer.reason] || answer.reason;
  say(answer.understood ? words : `${text.not}: ${reason}`, answer.understood ? "" : "not", `${text.confidence} ${percent(answer.confidence)}`);
  $("details").replaceChildren(...Object.entries(answer.scores).flatMap(([head, scores]) => [
    element("h3", named(head)),
    ...Object.entries(scores).sort((a, b) => b[1] - a[1]).slice(0, 3).map(([label, score]) => bar(head, label, score)),
  ]), ...others(answer.alternatives));
}

function remember(answer) {
  const item = element("li", "");
  item.append(element("time", new Date().toLocaleTimeString(language)), ` ${$("answer").textContent} (${percent(answer.confidence)})`);
  $("history").prepend(item);
  $("no-history").hidden = true;
}

function others(alternatives) {
  if (!alternatives.length) return [];
  const list = document.createElement("ul");
  for (const other of alternatives) {
    const words = Object.keys(other.labels).reduce((so, head) => so.replace(`${head} `, `${named(head)} `), other.shown);
    list.append(element("li", `${words} (${percent(other.probability)})`));
  }
  return [element("h3", text.perhaps), list];
}

// One choice per head, on what was heard: sent as it is, it confirms the answer.
function offerCorrection(answer) {
  const heads = models.find((model) => model.version === answer.model_version)?.heads;
  $("feedback").hidden = !heads;
  if (!heads) return;
  $("sent").textContent = "";
  $("comment").value = "";
  $("labels").replaceChildren(...Object.entries(heads).map(([head, classes]) => {
    const label = element("label", `${named(head)} `);
    const choice = document.createElement("select");
    choice.name = head;
    choice.append(...classes.map((name) => new Option(shown(name), name)));
    choice.value = answer.labels[head];
    label.append(choice);
    return label;
  }));
}

async function correct(event) {
  event.preventDefault();
  const labels = Object.fromEntries([...$("labels").querySelectorAll("select")].map((choice) => [choice.name, choice.value]));
  const body = JSON.stringify({ request_id: current.request_id, labels, comment: $("comment").value });
  const response = await fetch("/feedback", { method: "POST", body, headers: { ...headers(), "Content-Type": "application/json" } }).catch(() => null);
  if (!response || response.ok) return void ($("sent").textContent = response ? text.thanks : text.offline);
  const { detail } = await response.json().catch(() => ({ detail: text.offline }));
  $("sent").textContent = text.refused[response.status] || detail;
}

function bar(head, label, value) {
  const row = element("div", "", "bar");
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = value;
  progress.setAttribute("aria-label", `${named(head)}: ${shown(label)}`);
  row.append(element("span", shown(label)), progress, element("span", percent(value)));
  return row;
}

function element(kind, words, style) {
  const node = document.createElement(kind);
  node.textContent = words;
  if (style) node.className = style;
  return node;
}

$("language").onclick = () => {
  language = language === "id" ? "en" : "id";
  localStorage.setItem("language", language);
  translate();
  if (current) show(current);
};
$("record").onclick = record;
$("feedback").onsubmit = correct;
$("key").onchange = listModels;
$("file").onchange = () => $("file").files[0] && ask($("file").files[0]);
$("drop").ondragover = (event) => (event.preventDefault(), $("drop").classList.add("over"));
$("drop").ondragleave = () => $("drop").classList.remove("over");
$("drop").ondrop = (event) => {
  event.preventDefault();
  $("drop").classList.remove("over");
  if (event.dataTransfer.files[0]) ask(event.dataTransfer.files[0]);
};
translate();
listModels();
