// How often the processor is woken up by a process that has nothing to do.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * How often the threads of each process went to sleep in `seconds`: after a sleep comes a wake-up. WebKit's own
 * processes are not among them; the plugin has no part in those.
 */
export async function wakeups(pids, seconds) {
  const before = pids.map(sleeps);
  await pause(seconds * 1000);
  const after = pids.map(sleeps);
  return after.map((threads, index) => added(before[index], threads));
}

/** A thread that is new has slept since it began. What a thread did that has ended is not known. */
export function added(before, after) {
  let sum = 0;
  for (const [thread, count] of after) sum += count - (before.get(thread) ?? 0);
  return sum;
}

/** By thread, its voluntary context switches, proc(5). */
function sleeps(pid) {
  const folder = `/proc/${pid}/task`;
  return new Map(
    readdirSync(folder).map((thread) => {
      const status = readFileSync(`${folder}/${thread}/status`, 'utf8');
      return [thread, Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)[1])];
    }),
  );
}
