import { followsSession } from './page.mjs';

// Angular before version 20 is told of changes by zone.js only.
const core = await import('@angular/core');
if (!core.provideZonelessChangeDetection) await import('zone.js');
await import('@angular/compiler');
const { createApplication } = await import('@angular/platform-browser');
const { injectSession } = await import('tauri-plugin-secure-token-api/angular');

console.log = () => {};
const SESSION = new core.InjectionToken('session');
const View = core.Component({
  selector: 'session-view',
  standalone: true,
  template: '<p>{{ snapshot().status }}</p>',
})(
  class {
    snapshot = injectSession(core.inject(SESSION));
  },
);

await followsSession(async (session, view) => {
  const app = await createApplication({
    providers: [core.provideZonelessChangeDetection?.() ?? [], { provide: SESSION, useValue: session }],
  });
  const root = document.createElement('session-view');
  view.append(root);
  app.bootstrap(View, root);
  const ticking = setInterval(() => app.tick(), 1);
  return () => {
    clearInterval(ticking);
    app.destroy();
  };
});
