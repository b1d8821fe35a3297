// The way in and out, which part is shown, and what goes on in the background.
"use strict";

const PARTS = { versions: showVersions, corrections: showCorrections, drift: showDrift, learning: showLearning, system: showSystem };
const BUSY_MS = 1000, IDLE_MS = 15000;
let timer = null;
let going = null; // place -> state of its command, when it was last asked about
let shown = 0; // parts so far: one that comes late is not shown

const part = () => (location.hash.slice(1) in PARTS ? location.hash.slice(1) : "versions");

function translate() {
  text = TEXTS[language];
  document.documentElement.lang = language;
  document.title = text.title;
  document.querySelectorAll("[data-text]").forEach((node) => (node.textContent = text[node.dataset.text]));
  document.querySelector("nav").setAttribute("aria-label", text.parts);
  $("language").textContent = text.other;
  $("language").lang = language === "id" ? "en" : "id";
}

async function show() {
  const turn = ++shown;
  document.querySelectorAll("nav a").forEach((link) => link.toggleAttribute("aria-current", link.hash === `#${part()}`));
  const parts = await PARTS[part()]();
  if (parts && turn === shown) $("view").replaceChildren(...parts);
}

// Inside or before the door.
function enter(open) {
  $("login").hidden = open;
  $("inside").hidden = $("logout").hidden = !open;
  clearTimeout(timer);
  $("password").value = "";
  if (open) {
    say("");
    going = null;
    show();
    follow();
  } else {
    shown++;
    $("view").replaceChildren();
    $("jobs").replaceChildren();
    $("password").focus();
  }
}

async function logIn(event) {
  event.preventDefault();
  if (await api("login", { password: $("password").value })) enter(true);
}

async function logOut() {
  if (!(await api("logout", {}))) return;
  enter(false);
  say(text.left);
}

// After a command was asked for: it is followed at once.
async function began(asked) {
  const job = await asked;
  if (!job) return;
  say(fill(text.started, { name: text.names[job.name] }));
  await follow();
}

// What goes on, again and again; where a command has ended, what is shown is read anew.
async function follow() {
  clearTimeout(timer);
  const jobs = await api("api/jobs");
  if (!jobs) return $("inside").hidden || void (timer = setTimeout(follow, IDLE_MS));
  for (const [place, job] of Object.entries(jobs)) showJob(place, job);
  const known = going;
  going = Object.fromEntries(Object.entries(jobs).map(([place, job]) => [place, `${job.started} ${job.state}`]));
  for (const [place, job] of Object.entries(jobs)) {
    if (!known || known[place] === going[place] || job.state === "running") continue;
    say(outcome(job), job.state === "failed" ? "not" : "");
    show();
  }
  timer = setTimeout(follow, Object.values(jobs).some((job) => job.state === "running") ? BUSY_MS : IDLE_MS);
}

const outcome = (job) => `${text.names[job.name]}: ${job.sentence || text.jobStates[job.state]}`;

// While a command goes on only its words change, so that whoever is on its button stays there.
function showJob(place, job) {
  const key = `${job.started} ${job.state}`;
  let node = $(`job-${place}`);
  if (!node || node.dataset.key !== key) {
    const made = element("section", [
      element("details", [element("summary"), element("pre", [], { tabindex: "0", lang: "en" })], { open: job.state !== "done" }),
      job.state === "failed" ? element("p", job.sentence, { class: "not", lang: "en" }) : null,
      place === "work" && job.state === "running" ? button(text.stop, stopWork) : null,
    ], { id: `job-${place}`, "data-key": key });
    node ? node.replaceWith(made) : $("jobs").append(made);
    node = made;
  }
  const seconds = fill(text.seconds, { seconds: Math.round(job.seconds) });
  node.querySelector("summary").textContent = `${text.names[job.name]}: ${text.jobStates[job.state]}, ${seconds}`;
  const lines = job.lines.join("\n");
  if (node.querySelector("pre").textContent !== lines) node.querySelector("pre").textContent = lines;
}

async function stopWork() {
  if ((await sure(text.sureStop, text.stop)) === null) return;
  if (await api("api/stop", { place: "work" })) await follow();
}

async function showSystem() {
  const found = await api("api/system");
  if (!found) return null;
  const { requests, settings } = found;
  const counts = Object.entries(requests.by_status).map(([status, count]) => `${count} × ${status}`).join(", ");
  const yes = (value) => (value ? text.yes : text.no);
  return [
    section(text.machine, facts([
      [text.version, `slu ${found.version}, Python ${found.python}`], [text.system, found.system],
      [text.load, `${found.load.join(", ")} (${fill(text.cores, found)})`],
      [text.memory, found.memory ? fill(text.freeOf, { free: gigabytes(found.memory.free), total: gigabytes(found.memory.total) }) : ""],
      [text.disk, `${fill(text.freeOf, { free: gigabytes(found.disk.free), total: gigabytes(found.disk.total) })}: ${found.outputs}`],
    ])),
    section(text.server, facts([
      [text.uptime, duration(found.uptime_s)],
      [text.serverMemory, found.server_bytes ? gigabytes(found.server_bytes) : ""],
      [text.workers, Object.values(found.workers).join(", ")],
      [text.requests, counts || "0"],
      [text.meanTime, requests.mean_ms === null ? "–" : `${requests.mean_ms} ms`],
      [text.inFlight, String(requests.in_flight)],
      [text.settings, `runtime ${settings.runtime}, log ${settings.log}`],
      [text.keepsAudio, settings.keep_audio ? fill(text.days, { days: settings.keep_audio_days }) : text.no],
      [text.hasKey, yes(settings.api_key)],
    ])),
  ];
}

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h ${minutes % 60} min`;
}

$("language").onclick = () => {
  language = language === "id" ? "en" : "id";
  localStorage.setItem("language", language);
  translate();
  if ($("inside").hidden) return;
  $("jobs").replaceChildren();
  show();
  follow();
};
$("login").onsubmit = logIn;
$("logout").onclick = logOut;
window.onhashchange = () => (say(""), show());
translate();
api("session").then((found) => found && enter(found.open));
