// Corrections, the surest mistakes first: listen, accept, reject.
"use strict";

const queue = { state: "undecided", page: 1 };
const STATES = ["undecided", "all", "new", "accepted", "rejected", "used", "erased"];

async function showCorrections() {
  const found = await api(`api/corrections?state=${queue.state}&page=${queue.page}`);
  if (!found) return null;
  if (queue.page > found.pages) return (queue.page = found.pages), showCorrections();
  const filter = choice(STATES.map((state) => [state, stateWords(state, found.states)]), queue.state);
  filter.id = "state";
  filter.onchange = () => turn({ state: filter.value, page: 1 });
  return [section(
    text.corrections,
    element("div", [
      field(text.show, filter),
      element("a", text.exportCsv, { href: `${ADMIN_HOME}api/corrections.csv?state=${queue.state}`, download: true }),
      button(text.check, () => began(api("api/check", {}))),
    ], { class: "row" }),
    note(text.reviewHelp),
    ...(found.rows.length ? found.rows.map(correctionPart) : [note(text.noCorrections)]),
    found.pages > 1 ? pager(found) : null,
  )];
}

function stateWords(state, counts) {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const count = state === "all" ? all : counts[state];
  return state === "undecided" ? text.states.undecided : `${text.states[state]} (${count || 0})`;
}

function pager(found) {
  return element("div", [
    button(text.back, () => turn({ page: found.page - 1 }), { disabled: found.page <= 1 }),
    fill(text.pageOf, found),
    button(text.next, () => turn({ page: found.page + 1 }), { disabled: found.page >= found.pages }),
  ], { class: "row" });
}

function turn(changes) {
  Object.assign(queue, changes);
  return show();
}

const label = (value) => value || text.none;

function correctionPart(row) {
  const article = element("article", [], { id: `correction-${row.id}` });
  article.append(...correctionParts(row, article));
  return article;
}

function correctionParts(row, article) {
  const heads = row.changed.length ? row.changed : Object.keys(row.actual);
  const said = heads.map((head) =>
    row.changed.length ? `${head}: ${label(row.predicted[head])} → ${label(row.actual[head])}` : `${head}: ${label(row.actual[head])}`);
  const told = [
    when(row.received), row.model_version,
    row.changed.length ? fill(text.wasSure, { share: percent(row.disagreement) }) : text.confirms,
    row.duration_s === null ? null : `${figure(row.duration_s, 1)} s`, row.client && `${text.client} ${row.client}`,
    text.sounds[row.sound] || null,
  ];
  const decide = (verb) => decideOn(row, verb, article);
  return [
    element("h3", [`${row.id}. ${said.join(", ")}`, tag(text.states[row.state] || row.state), ...row.flags.map((flag) => tag(text.flags[flag] || flag, "alarm"))]),
    note(told.filter(Boolean).join(" · ")),
    row.comment ? element("p", `“${row.comment}”`) : null,
    row.used_in.length ? note(fill(text.usedIn, { versions: row.used_in.join(", ") })) : null,
    row.playable ? element("audio", [], { controls: true, preload: "none", src: `${ADMIN_HOME}api/corrections/${row.id}/audio`, "aria-label": `${text.recording} ${row.id}` }) : null,
    row.state === "erased" ? null : element("div", [
      button(text.accept, () => decide("accept"), { "aria-label": `${text.accept} ${row.id}`, disabled: row.state === "accepted" }),
      button(text.reject, () => decide("reject"), { "aria-label": `${text.reject} ${row.id}`, disabled: row.state === "rejected" }),
    ], { class: "row" }),
  ].filter(Boolean);
}

// It stays where it is, with its new state, so that a slip can be taken back at once.
async function decideOn(row, verb, article) {
  const done = await api(`api/corrections/${verb}`, { ids: [row.id] });
  if (!done) return;
  const [now] = done.rows;
  article.replaceChildren(...correctionParts(now, article));
  article.querySelector("button:not([disabled])")?.focus();
  say(fill(text.decided, { id: row.id, state: text.states[now.state] }));
}
