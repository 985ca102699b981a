// A keyring that is locked when the app starts.
import assert from 'node:assert/strict';
import { demoTest } from './demo-test.mjs';

const options = { prompter: true, deadlineMs: 5_000 };

demoTest(
  'P1 P6 a locked keyring: the page says so, nothing is lost, and unlocking signs in',
  options,
  async (t) => {
    const first = await t.launch();
    await first.login();
    await first.shows('persisted', 'yes');
    t.leaks.remember();
    const before = t.demo.stored();
    await first.stop();
    await t.demo.keyring.restart({ locked: true });

    // The unlock dialog is on the screen, and nobody answers it.
    const second = await t.launch();
    await second.shows('status', 'unavailable');
    await second.shows('error', 'locked');
    await second.shows('store-state', 'locked');
    await second.shows('memory-token', 'empty');

    await t.demo.keyring.unlock();
    await second.click('retry');
    await second.shows('status', 'signedIn');
    await second.shows('me-name', /\w/);
    assert.equal(t.demo.stored(), before);
  },
);
