// Runs a Windows program that cargo has built; cargo starts this with the program and its arguments.
import { spawn } from 'node:child_process';
import { librariesOfCargo, withWine } from './lib/wine.mjs';

const [command, ...args] = withWine(process.argv.slice(2), librariesOfCargo());
const child = spawn(command, args, { stdio: 'inherit' });
child.on('error', (error) => {
  console.error(`${command}: ${error.message}`);
  process.exitCode = 127;
});
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
