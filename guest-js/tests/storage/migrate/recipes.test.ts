// The recipes of docs/migration.md: the real guest code of each package, over stand-ins for their Rust sides.

import { LazyStore } from '@tauri-apps/plugin-store';
import { Stronghold } from '@tauri-apps/plugin-stronghold';
import { deletePassword, getPassword } from 'tauri-plugin-keyring-api';
import { expect, it } from 'vitest';
import { migrateFrom } from '../../../storage/migrate.js';
import { FakeVault } from '../../support/fake-vault.js';

/** A vault beside another plugin, whose commands are answered by their names. */
function vaultBeside(plugin: string, answers: Record<string, (args: { key?: unknown }) => unknown>) {
  return new FakeVault({}, async (command, payload) => {
    const answer = answers[command.replace(`plugin:${plugin}|`, '')];
    if (!answer) throw `${command} not found`;
    return answer(payload as { key?: unknown });
  });
}

it('@tauri-apps/plugin-store: the value is gone from the disk too', async () => {
  let disk: Record<string, unknown> = { token: 't1', theme: 'dark' };
  let memory = { ...disk };
  const vault = vaultBeside('store', {
    load: () => 1,
    get: ({ key }) => [memory[String(key)] ?? null, String(key) in memory],
    delete: ({ key }) => Reflect.deleteProperty(memory, String(key)),
    save: () => {
      disk = { ...memory };
      return null;
    },
  });
  const store = new LazyStore('auth.json');
  const move = () =>
    migrateFrom({
      read: () => store.get<string>('token'),
      async remove() {
        await store.delete('token');
        await store.save();
      },
    });
  expect(await move()).toBe('moved');
  expect(vault.records.get('default')).toEqual({ token: 't1' });
  expect(disk).toEqual({ theme: 'dark' });
  memory = { ...disk };
  expect(await move()).toBe('absent');
});

it('Stronghold: bytes of a store, and the snapshot is saved', async () => {
  const bytes = [...new TextEncoder().encode('{"token":"t1"}')];
  let record: number[] | undefined = bytes;
  let saved: number[] | undefined = bytes;
  const vault = vaultBeside('stronghold', {
    initialize: () => null,
    load_client: () => null,
    get_store_record: () => record ?? null,
    remove_store_record: () => {
      record = undefined;
      return null;
    },
    save: () => {
      saved = record;
      return null;
    },
    destroy: () => null,
  });
  const stronghold = await Stronghold.load('vault.hold', 'password');
  const store = (await stronghold.loadClient('app')).getStore();
  const done = await migrateFrom({
    async read() {
      const value = await store.get('token');
      return value && new TextDecoder().decode(value);
    },
    async remove() {
      await store.remove('token');
      await stronghold.save();
    },
  });
  await stronghold.unload();
  expect(done).toBe('moved');
  expect(vault.records.get('default')).toEqual({ token: 't1' });
  expect(saved).toBeUndefined();
});

it('tauri-plugin-keyring: locked reads as absent there, so nothing is touched until it is not', async () => {
  let password: string | null = 't1';
  let locked = true;
  const vault = vaultBeside('keyring', {
    get_password: () => (locked ? null : password),
    delete_password: () => {
      password = null;
      return null;
    },
  });
  const place = ['my-app', 'token'] as const;
  const move = () =>
    migrateFrom({ read: () => getPassword(...place), remove: () => deletePassword(...place) });
  expect(await move()).toBe('absent');
  expect(password).toBe('t1');
  locked = false;
  expect(await move()).toBe('moved');
  expect(vault.records.get('default')).toEqual({ token: 't1' });
  expect(password).toBeNull();
});
