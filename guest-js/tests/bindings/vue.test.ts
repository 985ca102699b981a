// @vitest-environment happy-dom
// The Vue binding, in components that the real Vue renders.

import { expect, it, vi } from 'vitest';
import { createApp, defineComponent, effectScope, h, isReadonly } from 'vue';
import { useSession } from '../../bindings/vue.js';
import { createSession, type Session } from '../../session/session.js';
import { followsSession, label, TOKENS } from './contract.js';

/** The part of a component that Vue's devtools show as its state. */
interface Instance {
  setupState: object;
  props: object;
  attrs: object;
}

const isInstance = (value: unknown): value is Instance => Object(value).setupState !== undefined;

/** What Vue tells its devtools. */
const heard: unknown[] = [];
Object.assign(globalThis, {
  __VUE_DEVTOOLS_GLOBAL_HOOK__: {
    emit(event: string, ...args: unknown[]) {
      heard.push(event);
      for (const { setupState, props, attrs } of args.filter(isInstance))
        heard.push({ ...setupState }, props, attrs);
    },
  },
});

followsSession((session: Session) => {
  const root = document.createElement('div');
  const app = createApp(
    defineComponent({
      // As a `<script setup>` hands out all that it declares.
      setup: () => ({ session, snapshot: useSession(session) }),
      render() {
        return h('p', label(this.snapshot));
      },
    }),
  );
  app.mount(root);
  return { text: () => root.textContent, unmount: () => app.unmount(), exposed: () => heard };
});

it('nobody but the session changes it', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const session = createSession();
  const scope = effectScope();
  const snapshot = scope.run(() => useSession(session));
  expect(isReadonly(snapshot)).toBe(true);
  Object.assign(snapshot ?? {}, { value: { status: 'signedIn' } });
  expect(snapshot?.value).toBe(session.getSnapshot());
  await session.login(TOKENS);
  expect(snapshot?.value).toBe(session.getSnapshot());
  expect(warn.mock.calls.flat().join()).toContain('readonly');
  scope.stop();
});
