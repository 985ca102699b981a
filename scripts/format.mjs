// Formats Rust, TypeScript and scripts; `npm run format`.
import { ensurePrerequisites } from './lib/prerequisites.mjs';
import { run } from './lib/run.mjs';

await ensurePrerequisites({ npm: true, rust: { components: ['rustfmt'] } });
for (const command of [
  ['cargo', 'fmt', '--all'],
  ['biome', 'format', '--write'],
]) {
  const { code } = await run(command);
  if (code !== 0) process.exitCode = code;
}
