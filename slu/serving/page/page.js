// Record or drop a clip, ask the server, show what it heard. No library, no build.
"use strict";

const TEXTS = {
  en: {
    title: "Say an order", model: "Recogniser", key: "API key", drop: "or drop or choose a recording:", waiting: "Nothing heard yet.",
    history: "This session", record: "Record", stop: "Stop", other: "Bahasa Indonesia", asking: "Listening…",
    not: "Not understood", confidence: "confidence", perhaps: "or perhaps", denied: "The microphone cannot be used; drop a recording instead.",
    offline: "The server does not answer.", wave: "Waveform of the recording", spectrum: "Spectrogram of the recording",
    right: "What was right?", comment: "Comment", send: "Send", thanks: "Thank you, it is stored.", none: "not mentioned",
    reasons: {},
  },
  id: {
    title: "Ucapkan pesanan", model: "Pengenal", key: "Kunci API", drop: "atau jatuhkan atau pilih rekaman:", waiting: "Belum ada yang didengar.",
    history: "Sesi ini", record: "Rekam", stop: "Berhenti", other: "English", asking: "Mendengarkan…",
    not: "Tidak dimengerti", confidence: "keyakinan", perhaps: "atau mungkin", denied: "Mikrofon tidak bisa dipakai; jatuhkan rekaman saja.",
    offline: "Server tidak menjawab.", wave: "Bentuk gelombang rekaman", spectrum: "Spektrogram rekaman",
    right: "Apa yang benar?", comment: "Komentar", send: "Kirim", thanks: "Terima kasih, sudah disimpan.", none: "tidak disebut",
    reasons: {
      "silence": "hening", "noise": "derau", "too short": "terlalu pendek", "too long": "terlalu panjang",
      "not sure": "tidak yakin", "ambiguous": "bermakna ganda", "not on the menu": "tidak ada di menu",
    },
  },
};
const LONGEST_MS = 15000;
const $ = (id) => document.getElementById(id);
let language = (localStorage.getItem("language") || navigator.language).startsWith("id") ? "id" : "en";
let text = TEXTS[language];
let recorder = null;
let models = [];
let last = null; // the answer that can be corrected

function translate() {
  text = TEXTS[language];
  document.documentElement.lang = language;
  document.querySelectorAll("[data-text]").forEach((node) => (node.textContent = text[node.dataset.text]));
  $("language").textContent = text.other;
  $("record").textContent = recorder ? text.stop : text.record;
  $("wave").setAttribute("aria-label", text.wave);
  $("spectrum").setAttribute("aria-label", text.spectrum);
}

function say(words, isAnswer) {
  $("answer").removeAttribute("data-text");
  $("answer").textContent = words;
  $("answer").classList.toggle("not", !isAnswer);
}

function headers() {
  return $("key").value ? { "X-API-Key": $("key").value } : {};
}

async function listModels() {
  const response = await fetch("/models", { headers: headers() }).catch(() => null);
  if (!response) return say(text.offline, false);
  $("key-row").hidden = response.status !== 401 && !$("key").value;
  if (!response.ok) return;
  models = await response.json();
  $("model").replaceChildren(...models.map((model) => new Option(`${model.task} (${model.version})`, model.version)));
}

async function record() {
  if (recorder) return recorder.stop();
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    return say(text.denied, false);
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
    $("record").setAttribute("aria-pressed", "false");
    translate();
    ask(clip);
  };
  recorder.start();
  $("record").setAttribute("aria-pressed", "true");
  translate();
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
  say(text.asking, true);
  $("details").replaceChildren();
  $("feedback").hidden = true;
  draw(clip);
  const form = new FormData();
  form.append("file", clip, "clip");
  form.append("model", $("model").value);
  let answer;
  try {
    const response = await fetch("/predict", { method: "POST", body: form, headers: headers() });
    answer = await response.json();
    if (!response.ok) return say(answer.detail, false);
  } catch {
    return say(text.offline, false);
  }
  show(answer);
}

function show(answer) {
  const heard = Object.entries(answer.labels).filter(([, label]) => label !== "");
  const words = heard.map(([head, label]) => answer.display[head] || label).join(" × ");
  const reason = text.reasons[answer.reason] || answer.reason;
  say(answer.understood ? words : `${text.not}: ${reason}`, answer.understood);
  const bars = Object.entries(answer.scores).flatMap(([head, scores]) =>
    Object.entries(scores).sort((a, b) => b[1] - a[1]).slice(0, 3).map(([label, score]) => bar(`${head} ${label || "–"}`, score)));
  const others = answer.alternatives.map((other) => other.shown).join(", ");
  const note = element("p", `${text.confidence} ${answer.confidence.toFixed(2)}` + (others ? `; ${text.perhaps} ${others}` : ""), "note");
  $("details").replaceChildren(note, ...bars);
  offerCorrection(answer);
  $("history").prepend(element("li", `${$("answer").textContent} (${answer.confidence.toFixed(2)})`));
}

// One choice per head, on what was heard: sent as it is, it confirms the answer.
function offerCorrection(answer) {
  const heads = models.find((model) => model.version === answer.model_version)?.heads;
  $("feedback").hidden = !heads;
  if (!heads) return;
  last = answer;
  $("sent").textContent = "";
  $("comment").value = "";
  $("labels").replaceChildren(...Object.entries(heads).map(([head, classes]) => {
    const label = element("label", `${head} `);
    const choice = document.createElement("select");
    choice.name = head;
    choice.append(...classes.map((name) => new Option(name || text.none, name)));
    choice.value = answer.labels[head];
    label.append(choice);
    return label;
  }));
}

async function correct(event) {
  event.preventDefault();
  const labels = Object.fromEntries([...$("labels").querySelectorAll("select")].map((choice) => [choice.name, choice.value]));
  const body = JSON.stringify({ request_id: last.request_id, labels, comment: $("comment").value });
  const response = await fetch("/feedback", { method: "POST", body, headers: { ...headers(), "Content-Type": "application/json" } }).catch(() => null);
  $("sent").textContent = !response ? text.offline : response.ok ? text.thanks : (await response.json()).detail;
}

function bar(name, value) {
  const row = element("div", "", "bar");
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = value;
  progress.setAttribute("aria-label", name);
  row.append(element("span", name), progress, element("span", value.toFixed(2)));
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
