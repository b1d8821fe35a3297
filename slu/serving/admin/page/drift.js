// What has changed at work: alerts, how far each fact has moved (PSI, KS), and its medians over time.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300, HEIGHT = 110, EDGE = 8, ROOM = 20; // of numbers above and below
const DRAWN = ["level_db", "noise_db", "pace_hz", "pitch_hz", "rolloff_hz", "confidence"];

async function showDrift() {
  const found = await api("api/monitor");
  return found && [startPart(found), ...(found.last ? lastParts(found.last) : [section(text.lastLook, note(text.noLook))])];
}

function startPart(found) {
  const spans = choice(["hour", "day", "week", "all"].map((name) => [name, text.windows[name]]), "day");
  const days = element("input", [], { type: "number", min: 1, max: 1000, placeholder: text.ownReference });
  const start = () => began(api("api/monitor", { window: spans.value, reference_days: days.value ? Number(days.value) : null }));
  return section(
    text.drift,
    note(text.driftHelp),
    found.hindered ? note(found.hindered, "not") : null,
    element("div", [field(text.window, spans), field(text.referenceDays, days), button(text.look, start, { disabled: Boolean(found.hindered) })], { class: "row" }),
  );
}

function lastParts(last) {
  const compared = [...last.windows].reverse().find((one) => one.changes.length);
  const report = last.report ? element("a", text.report, { href: `${ADMIN_HOME}api/monitor/${encodeURIComponent(last.run)}/report`, target: "_blank", rel: "noopener" }) : null;
  const alerts = last.alerts.map((alert) => element("li", `${alert.window || ""} ${alert.sentence} ${fill(text.lookAt, alert)}`, { class: "not" }));
  return [
    section(
      text.lastLook,
      note(fill(text.lookOf, { run: last.run.replace("_", " ").slice(0, 16), version: last.version || "–", windows: last.windows.length })),
      alerts.length ? element("ul", alerts) : element("p", text.noAlerts),
      last.missing ? note(last.missing) : note(fill(text.comparedWith, { reference: last.reference || "–" })),
      report,
    ),
    ...(compared ? [changesPart(compared)] : []),
    section(text.overTime, ...plots(last.windows)),
  ];
}

function changesPart(one) {
  const columns = [[text.fact, false], [text.before, false], [text.now, false], ["PSI", true], ["KS", true], ["p", true], ["", false]];
  const rows = one.changes.map((change) => [
    change.title, change.before, change.now, figure(change.distance.psi), figure(change.distance.ks), Number(change.p).toPrecision(2),
    change.drifted ? tag(text.drifted, "alarm") : "",
  ]);
  return section(fill(text.changesOf, { window: one.start || text.windows.all }), table(columns, rows), note(text.changesHelp));
}

function plots(windows) {
  const drifted = new Set(windows.flatMap((one) => one.changes.filter((change) => change.drifted).map((change) => change.name)));
  const names = [...new Set([...DRAWN, ...drifted])].filter((name) => windows.some((one) => name in one.medians));
  const titles = Object.fromEntries(windows.flatMap((one) => one.changes.map((change) => [change.name, change.title])));
  const drawn = [
    plot(text.requests, windows.map((one) => one.requests), windows, []),
    plot(text.understood, windows.map((one) => one.understood), windows, []),
    plot(text.latency, windows.map((one) => one.latency_ms.p95), windows, []),
    ...names.map((name) => plot(titles[name] || name, windows.map((one) => one.medians[name] ?? null), windows, marks(windows, name))),
  ];
  return [element("div", drawn, { class: "plots" }), note(text.plotsHelp)];
}

const marks = (windows, name) => windows.map((one) => one.changes.some((change) => change.name === name && change.drifted));

// One value per window, null where it is not known; red dots are windows that have drifted.
function plot(title, values, windows, red) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known), high = Math.max(...known);
  const x = (place) => EDGE + ((WIDTH - 2 * EDGE) * (values.length > 1 ? place / (values.length - 1) : 0.5));
  const y = (value) => HEIGHT - ROOM - (HEIGHT - 2 * ROOM) * (high > low ? (value - low) / (high - low) : 0.5);
  const places = values.map((value, place) => [place, value]).filter(([, value]) => value !== null);
  const shape = (kind, attributes, words = "") => {
    const node = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = words;
    return node;
  };
  const drawing = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const told = known.length ? fill(text.plotLabel, { title, low: short(low), high: short(high), count: red.filter(Boolean).length }) : title;
  drawing.setAttribute("aria-label", told);
  drawing.append(shape("polyline", { points: places.map(([place, value]) => `${x(place)},${y(value)}`).join(" ") }));
  for (const [place, value] of places) {
    const dot = shape("circle", { cx: x(place), cy: y(value), r: red[place] ? 4 : 2.5, class: red[place] ? "alarm" : "" });
    dot.append(shape("title", {}, `${windows[place].start || ""} ${short(value)}`));
    drawing.append(dot);
  }
  if (known.length) drawing.append(shape("text", { x: EDGE, y: 13 }, short(high)), shape("text", { x: EDGE, y: HEIGHT - 5 }, high > low ? short(low) : ""));
  return element("figure", [element("figcaption", title), drawing]);
}

const short = (value) => String(Number(Number(value).toPrecision(3)));
