// The demo without a desktop: a private screen and keyring, the flow played through WebDriver, screenshots of each step.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startDemo } from './demo-app.mjs';
import { root } from './paths.mjs';
import { until } from './until.mjs';

const folder = join(root, 'demo-screenshots');

export async function show() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  console.log('\nNo desktop with a key store here: the demo plays itself.');
  const demo = await startDemo();
  try {
    await play(demo);
  } finally {
    await demo.stop();
  }
  console.log(`\nThe screenshots are in ${folder}`);
}

async function play(demo) {
  let count = 0;
  const picture = async (app, name, text) => {
    count += 1;
    const file = `${count}-${name}.png`;
    await app.screenshot(join(folder, file));
    console.log(`${count}. ${text}  [${file}]`);
  };
  const inKeyring = () => (demo.stored() ? `${demo.stored().length} bytes` : 'nothing');

  const app = await demo.launch();
  await app.shows('status', 'signedOut');
  await picture(app, 'signed-out', `Started: signed out; the keyring holds ${inKeyring()}.`);

  await app.login();
  await app.shows('persisted', 'yes');
  await picture(
    app,
    'logged-in',
    `Logged in: ${await app.text('memory-token')}; the keyring holds ${inKeyring()}.`,
  );

  await app.click('me-load');
  await app.shows('me-name', /\w/);
  await picture(app, 'who-am-i', `Who am I: the API says ${await app.text('me-name')}.`);

  const before = demo.stored();
  await app.click('rotate');
  await until('the new token is stored', () => demo.stored() !== before);
  await picture(app, 'rotated', `Rotated: another token in memory and in the keyring, ${inKeyring()}.`);

  await app.click('call-other');
  await app.shows('own-result', /\w/);
  await picture(
    app,
    'origins',
    `One request to two origins. The API ${await app.text('own-result')}, the other ${await app.text('other-result')}.`,
  );

  await app.click('open-window');
  await app.goTo('second');
  await app.shows('me-name', /\w/);
  await picture(app, 'second-window', 'Second window: signed in as well, without a login.');

  await app.stop();
  const again = await demo.launch();
  await again.shows('status', 'signedIn');
  await again.shows('me-name', /\w/);
  await picture(again, 'started-again', 'Killed and started again: signed in, no form.');

  await again.click('api-down');
  await again.shows('api-down', 'down');
  await again.click('me-load');
  await again.shows('me-problem', /\w/);
  await picture(again, 'api-down', 'The API is down: still signed in.');
  await again.click('api-down');
  await again.shows('api-down', 'up');
  await again.click('me-load');
  await again.shows('me-name', /\w/);

  await again.click('lock-keyring');
  await again.element('lock-keyring-now').waitForDisplayed();
  await picture(again, 'lock', 'Before the keyring is locked, the demo says whom that concerns.');
  await again.click('lock-keyring-now');
  await again.shows('store-state', 'locked');
  await again.click('rotate');
  await again.shows('error', 'locked');
  await picture(again, 'locked', 'The keyring is locked: the new token is in memory, and is saved later.');
  await demo.keyring.unlock();
  await again.shows('persisted', 'yes', { timeout: 60_000 });

  await again.click('logout');
  await again.shows('status', 'signedOut');
  await until('the API has revoked', () => demo.api.sessions().every((session) => session.revoked));
  await picture(again, 'logged-out', `Logged out: revoked at the API; the keyring holds ${inKeyring()}.`);
}
