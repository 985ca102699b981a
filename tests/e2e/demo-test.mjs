// A test with a desktop, an API and an app of its own, and with a look for leaked tokens at its end.
import { test } from 'node:test';
import { startDemo } from '../../scripts/lib/demo-app.mjs';
import { LeakWatch } from './leaks.mjs';

// Longer than a wait within it, which says what never came.
const timeout = 300_000;

/** `body` gets the demo, and `launch`, which starts the app. */
export function demoTest(name, options, body) {
  test(name, { timeout }, async (t) => {
    const demo = await startDemo(options);
    const leaks = new LeakWatch(demo);
    const launch = async (settings) => {
      const app = await demo.launch(settings);
      await leaks.listenToConsole(app);
      return app;
    };
    try {
      await body({ demo, launch, leaks });
      await leaks.check();
    } catch (error) {
      for (const app of demo.runs) t.diagnostic(`the app said:\n${app.output()}`);
      throw error;
    } finally {
      await demo.stop();
    }
  });
}
