// Runs stages one after another: prerequisites, steps, counts, and the table at the end.
import { readCounts } from './counts.mjs';
import { ensurePrerequisites, MissingPrerequisite } from './prerequisites.mjs';
import { run, toolEnvironment } from './run.mjs';
import { addCounts, closing, noCounts, seconds, table } from './summary.mjs';

const continuousIntegration = process.env.CI === 'true';

export async function runStages(stages) {
  const rows = [];
  const built = new Set();
  for (const stage of stages) rows.push(await runStage(stage, built));
  const { line, exitCode } = closing(rows);
  console.log(`\n${table(rows)}\n\n${line}`);
  process.exitCode = exitCode;
}

/** Runs builds alone, for what is built outside the stages. */
export async function buildAll(steps) {
  for (const step of steps) {
    const { counts } = await runStep(step);
    if (counts.failed > 0) throw new Error(`failed: ${step.title}`);
  }
}

async function runStage(stage, built) {
  const started = performance.now();
  const counts = noCounts();
  console.log(`\n=== ${stage.name}: ${stage.about}`);
  let result = 'passed';
  try {
    await ensurePrerequisites(stage.needs);
    for (const step of stage.steps) {
      if (built.has(step)) continue;
      const outcome = await runStep(step);
      addCounts(counts, outcome.counts);
      if (step.kind === 'build') {
        if (outcome.counts.failed > 0) {
          console.error(`The rest of the stage "${stage.name}" needs this step; it is left out.`);
          break;
        }
        built.add(step);
      }
    }
  } catch (error) {
    if (!(error instanceof MissingPrerequisite)) throw error;
    console.error(`\n!!! The stage "${stage.name}" cannot run here.\n${error.message}\n`);
    if (continuousIntegration) {
      counts.failed += 1;
    } else {
      counts.skipped += 1;
      result = 'SKIPPED';
    }
  }
  if (counts.failed > 0) result = 'FAILED';
  const ms = performance.now() - started;
  console.log(
    `=== ${stage.name}: ${result}, tests: ${counts.passed} ok, ${counts.failed} bad, ${counts.skipped} left out; ${seconds(ms)}`,
  );
  return { name: stage.name, result, counts, ms };
}

/** A build counts only when it fails; a check is one test; a test run says itself how many it had. */
async function runStep(step) {
  const started = performance.now();
  console.log(`\n--- ${step.title}`);
  const counts = noCounts();
  const { ok, output } = await (step.inspect ? inspect(step) : execute(step)).catch(broken);
  if (step.kind === 'tests') {
    addCounts(counts, readCounts(step.runner, output));
    if (ok && counts.passed + counts.failed === 0) {
      console.error('No test ran.');
      counts.failed += 1;
    }
  } else if (step.kind === 'check' && ok) {
    counts.passed += 1;
  }
  if (!ok && counts.failed === 0) counts.failed += 1;
  console.log(
    `--- ${step.title}: ${counts.failed > 0 ? 'FAILED' : 'ok'}, ${seconds(performance.now() - started)}`,
  );
  return { counts };
}

async function execute(step) {
  const base = toolEnvironment();
  const command = typeof step.command === 'function' ? step.command() : step.command;
  console.log(`$ ${command.map((part) => (part === process.execPath ? 'node' : part)).join(' ')}`);
  const once = () => run(command, { cwd: step.cwd, env: { ...base, ...step.env?.(base) } });
  let { code, output } = await once();
  if (code !== 0 && step.toolCrash?.test(output)) {
    console.error('The tool itself crashed, whatever it was given; once more.');
    ({ code, output } = await once());
  }
  if (code !== 0) console.error(`(exit code ${code})`);
  return { ok: code === 0, output };
}

/** A step that throws has failed; the stages after it still run. */
function broken(error) {
  console.error(error);
  return { ok: false, output: '' };
}

async function inspect(step) {
  const problems = await step.inspect();
  for (const problem of problems) console.error(`  ${problem}`);
  return { ok: problems.length === 0, output: '' };
}
