// Tauri's freezePrototype freezes Object.prototype before the page runs: the storages must work then.

import { beforeAll, expect, it } from 'vitest';
import { FakeVault, rejection } from '../fake-vault.js';
import { freshStorage } from './page.js';

beforeAll(() => {
  Object.freeze(Object.prototype);
});

it('storage, mirror and the engine of nanostores', async () => {
  const { createSecureStorage, createSyncStorage, nanostoresEngine } = await freshStorage();
  const vault = new FakeVault();
  const storage = createSecureStorage();
  await storage.setItem('constructor', '1');
  const mirror = await createSyncStorage();
  const [properties] = nanostoresEngine(mirror);
  expect([properties.constructor, properties.toString]).toEqual(['1', undefined]);
  Object.assign(properties, { valueOf: '2' });
  Reflect.deleteProperty(properties, 'constructor');
  await mirror.flush();
  expect(await storage.getKeys()).toEqual(['valueOf']);
  vault.fail('get_token', rejection('locked'));
  await expect(storage.getItem('k')).rejects.toMatchObject({ name: 'SecureTokenError', code: 'locked' });
  mirror.dispose();
});
