// Retraining: how much there is to learn from, the button, and what was decided so far.
"use strict";

async function showLearning() {
  const found = await api("api/retrain");
  return found && [retrainPart(found), decisionsPart(found.decisions)];
}

function retrainPart(found) {
  const task = choice(found.tasks.map((name) => [name, name]), found.tasks[0]);
  const count = element("input", [], { type: "number", min: 1, max: 1000000, value: 20, id: "least" });
  const dry = element("input", [], { type: "checkbox", id: "dry" });
  const start = async () => {
    const question = fill(dry.checked ? text.sureDry : text.sureRetrain, { task: task.value });
    if ((await sure(question, text.retrain)) === null) return;
    await began(api("api/retrain", { task: task.value, corrections: Number(count.value), dry_run: dry.checked }));
  };
  return section(
    text.learning,
    element("p", fill(text.acceptedCount, { count: found.accepted })),
    note(text.retrainHelp),
    found.hindered ? note(found.hindered, "not") : null,
    element("div", [field(text.task, task), field(text.least, count), field(text.dryRun, dry),
      button(text.retrain, start, { disabled: Boolean(found.hindered) || !found.tasks.length })], { class: "row" }),
  );
}

function decisionsPart(decisions) {
  return section(text.decisions, ...(decisions.length ? decisions.map(decisionPart) : [note(text.noDecisions)]));
}

function decisionPart(one) {
  const verdict = one.version ? fill(text.promoted, one) : one.passed ? text.passed : text.refusedRetrain;
  const page = `${ADMIN_HOME}api/retrain/${encodeURIComponent(one.task)}/${encodeURIComponent(one.name)}/decision`;
  return element("article", [
    element("h3", [`${one.task}: ${verdict}`]),
    note(when(1000 * one.time)),
    one.refusals.length ? element("ul", one.refusals.map((words) => element("li", words))) : null,
    facts(Object.entries(one.facts).map(([name, value]) => [name, String(value)])),
    one.report ? element("a", text.everyCheck, { href: page, target: "_blank", rel: "noopener" }) : null,
  ]);
}
