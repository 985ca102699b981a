import assert from 'node:assert/strict';
import { refusesFirstToken } from './server.mjs';

const { default: axios } = await import('axios');
const { createSession } = await import('tauri-plugin-secure-token-api');
const { attachSession } = await import('tauri-plugin-secure-token-api/axios');

const { origin, close } = await refusesFirstToken();
const session = createSession({ refresh: async () => ({ token: 'second' }) });
await session.login({ token: 'first' });
const api = axios.create({ baseURL: origin });
const detach = attachSession(api, session, { origins: [origin] });
assert.equal((await api.post('/me', { name: 'Ada' })).data, 'hello');
detach();
await assert.rejects(api.get('/me'), ({ response }) => response.status === 401);
session.dispose();
close();
