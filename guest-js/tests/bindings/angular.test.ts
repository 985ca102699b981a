// @vitest-environment happy-dom
// The Angular binding, in a component that the real Angular compiles and renders, without zone.js.

import '@angular/compiler';
import { Component, InjectionToken, type Injector, inject } from '@angular/core';
import { createApplication } from '@angular/platform-browser';
import { beforeEach, vi } from 'vitest';
import { injectSession } from '../../bindings/angular.js';
import type { Session } from '../../session/session.js';
import { testProviders } from './angular-app.js';
import { followsSession, label } from './contract.js';

const SESSION = new InjectionToken<Session>('session');

const View = Component({ selector: 'session-view', template: '<p>{{ label(snapshot()) }}</p>' })(
  class {
    readonly snapshot = injectSession(inject(SESSION));
    readonly label = label;
  },
);

/** What Angular's devtools ask a page that runs in development. */
interface Debug {
  getInjector(element: Element): Injector;
  ɵgetSignalGraph(injector: Injector): { nodes: { value?: unknown }[] };
}

const debug = () => (globalThis as unknown as { ng: Debug }).ng;

beforeEach(() => {
  // "Angular is running in development mode."
  vi.spyOn(console, 'log').mockImplementation(() => {});
});

followsSession(async (session) => {
  const app = await createApplication({
    providers: [...testProviders, { provide: SESSION, useValue: session }],
  });
  const root = document.createElement('session-view');
  app.bootstrap(View, root);
  return {
    text: () => root.textContent,
    unmount: () => app.destroy(),
    exposed: () => debug().ɵgetSignalGraph(debug().getInjector(root)).nodes,
  };
});
