// Which versions there are, which of them answers, and every move.
"use strict";

async function showVersions() {
  const found = await api("api/versions");
  if (!found) return null;
  const refused = found.refused.map(({ version, reason }) => note(`${fill(text.refusedVersion, { version })}: ${reason}`, "not"));
  if (!found.tasks.length) return [section(text.versions, note(fill(text.noRegistry, { answers: found.answers.join(", ") })), ...refused)];
  return found.tasks.flatMap((task) => [taskPart(task, found, refused), movesPart(task)]);
}

function taskPart(task, found, refused) {
  const answers = task.follows.length ? fill(text.answersWith, { version: task.follows.join(", ") }) : text.answersNot;
  return section(
    task.task,
    note(`${fill(task.promoted ? text.isLive : text.isLatest, { version: task.live || "–" })} ${answers}`, "plain-text"),
    ...refused,
    task.problem ? note(task.problem, "not") : null,
    element("div", button(text.rollBack, () => rollBack(task), { disabled: !task.can_roll_back }), { class: "row" }),
    ...task.versions.map((version) => versionPart(task, version)),
  );
}

function versionPart(task, version) {
  const tags = version.aliases.map((alias) => tag(alias, alias === "live" ? "live" : ""));
  const figures = [["objective", version.objective], ["clean", version.clean]]
    .filter(([, value]) => value && value !== "-")
    .map(([name, value]) => `${text[name]} ${value}`);
  const isLive = task.promoted && task.live === version.version;
  return element("article", [
    element("h3", [version.version, ...tags]),
    figures.length ? note(figures.join(", ")) : null,
    version.problem ? note(version.problem, "not") : null,
    element("details", [element("summary", text.details), facts(version.facts)]),
    button(text.promote, () => promote(task, version), { disabled: isLive, "aria-label": `${text.promote} ${version.version}` }),
  ]);
}

function movesPart(task) {
  const columns = [text.time, text.by, text.alias, text.from, text.to, text.why].map((title) => [title, false]);
  const rows = task.history.map((move) => [when(move.time), move.by, move.alias, move.from || "–", move.to, move.why]);
  return section(`${task.task}: ${text.history}`, rows.length ? table(columns, rows) : note(text.noMoves));
}

async function promote(task, version) {
  const why = await sure(fill(text.surePromote, { version: version.version, task: task.task }), text.promote, true);
  if (why === null) return;
  await began(api("api/promote", { task: task.task, version: version.version, why }));
}

async function rollBack(task) {
  const why = await sure(fill(text.sureRollBack, { task: task.task, version: task.live }), text.rollBack, true);
  if (why === null) return;
  await began(api("api/rollback", { task: task.task, why }));
}
