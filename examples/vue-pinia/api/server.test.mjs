// Tests of the demo API over real HTTP: what each endpoint promises and what it must refuse.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt, SignJWT } from 'jose';
import { until } from '../../../scripts/lib/until.mjs';
import { createApi, createOther } from './server.mjs';

const running = new Set();

afterEach(async () => {
  await Promise.all([...running].map((server) => server.close()));
  running.clear();
});

async function start(options, create = createApi) {
  const server = await create(options);
  running.add(server);
  return server;
}

function post(url, body, headers = {}, signal) {
  return fetch(url, { method: 'POST', body, headers, signal });
}

function form(url, fields, signal) {
  return post(url, new URLSearchParams(fields), {}, signal);
}

function json(url, value) {
  return post(url, JSON.stringify(value), { 'Content-Type': 'application/json' });
}

async function login(api, user = 'demo', password = 'demo') {
  const response = await json(`${api.url}/login`, { user, password });
  assert.equal(response.status, 200);
  return response.json();
}

function me(api, token) {
  return fetch(`${api.url}/me`, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
}

function refresh(api, refreshToken, signal) {
  return form(`${api.url}/token`, { grant_type: 'refresh_token', refresh_token: refreshToken }, signal);
}

async function assertRefused(response, status, error) {
  assert.equal(response.status, status);
  assert.deepEqual(await response.json(), { error });
}

test('a login answers a bearer token that /me accepts', async () => {
  const api = await start({ accessTokenSeconds: 90 });
  const response = await json(`${api.url}/login`, { user: 'ada', password: 'lovelace' });
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const issued = await response.json();
  assert.equal(issued.token_type, 'Bearer');
  assert.equal(issued.expires_in, 90);
  const answer = await (await me(api, issued.access_token)).json();
  assert.equal(answer.user, 'ada');
  assert.equal(answer.name, 'Ada Lovelace');
});

test('a wrong user or password is invalid_grant', async () => {
  const api = await start();
  await assertRefused(await json(`${api.url}/login`, { user: 'demo', password: 'x' }), 401, 'invalid_grant');
  await assertRefused(await json(`${api.url}/login`, { user: 'x', password: '' }), 401, 'invalid_grant');
});

test('/me without a token challenges without an error code', async () => {
  const api = await start();
  const response = await me(api);
  assert.equal(response.status, 401);
  assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="secure-token demo"');
});

test('/me refuses a token of another key, another algorithm or no shape at all', async () => {
  const api = await start();
  const { access_token: good } = await login(api);
  const claims = decodeJwt(good);
  const header = { alg: 'HS256', typ: 'at+jwt' };
  const foreign = await new SignJWT(claims).setProtectedHeader(header).sign(new Uint8Array(32));
  const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${good.split('.')[1]}.`;
  for (const token of [foreign, none, 'x', 'a.b.c']) {
    const response = await me(api, token);
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate'), /error="invalid_token"/);
  }
});

test('an access token ends with its lifetime', async () => {
  const api = await start({ accessTokenSeconds: 0.2 });
  const { access_token: token } = await login(api);
  const deadline = Date.now() + 5000;
  let status = 200;
  while (status === 200 && Date.now() < deadline) {
    await pause(20);
    status = (await me(api, token)).status;
  }
  assert.equal(status, 401);
});

test('the lifetime of the tokens to come can be set', async () => {
  const api = await start({ accessTokenSeconds: 1 });
  assert.equal((await login(api)).expires_in, 1);
  api.setLifetime(3600);
  assert.equal((await login(api)).expires_in, 3600);
  assert.throws(() => api.setLifetime(0), RangeError);
});

test('a refresh rotates both tokens', async () => {
  const api = await start();
  const first = await login(api);
  const response = await refresh(api, first.refresh_token);
  assert.equal(response.status, 200);
  const second = await response.json();
  assert.notEqual(second.access_token, first.access_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await me(api, second.access_token)).status, 200);
});

test('reuse of a refresh token revokes the whole family and no other', async () => {
  const api = await start();
  const first = await login(api);
  const bystander = await login(api, 'ada', 'lovelace');
  const second = await (await refresh(api, first.refresh_token)).json();
  await assertRefused(await refresh(api, first.refresh_token), 400, 'invalid_grant');
  await assertRefused(await refresh(api, second.refresh_token), 400, 'invalid_grant');
  assert.equal((await me(api, second.access_token)).status, 401);
  assert.equal((await me(api, bystander.access_token)).status, 200);
  assert.deepEqual(api.sessions(), [
    { user: 'demo', revoked: true },
    { user: 'ada', revoked: false },
  ]);
});

test('two refreshes at once with one token: one wins, then the family is gone', async () => {
  const api = await start();
  const { refresh_token: token } = await login(api);
  const responses = await Promise.all([refresh(api, token), refresh(api, token)]);
  assert.deepEqual(responses.map((response) => response.status).sort(), [200, 400]);
  assert.deepEqual(api.sessions(), [{ user: 'demo', revoked: true }]);
});

test('within its grace a used refresh token buys tokens once more', async () => {
  const api = await start({ graceSeconds: 60 });
  const first = await login(api);
  const lost = await (await refresh(api, first.refresh_token)).json();
  const second = await (await refresh(api, first.refresh_token)).json();
  assert.notEqual(second.refresh_token, lost.refresh_token);
  assert.equal((await me(api, second.access_token)).status, 200);
  assert.equal((await refresh(api, second.refresh_token)).status, 200);
  assert.deepEqual(api.sessions(), [{ user: 'demo', revoked: false }]);
});

test('a grace comes to its end', async () => {
  const api = await start({ graceSeconds: 0.1 });
  const first = await login(api);
  await refresh(api, first.refresh_token);
  await pause(150);
  await assertRefused(await refresh(api, first.refresh_token), 400, 'invalid_grant');
  assert.deepEqual(api.sessions(), [{ user: 'demo', revoked: true }]);
});

test('a request that is held takes effect when it is released, unless its client has left', async () => {
  const api = await start();
  const issued = await login(api);
  const held = api.hold('/token');
  const client = new AbortController();
  const left = refresh(api, issued.refresh_token, client.signal);
  const stayed = refresh(api, issued.refresh_token);
  await until('both have come', () => held.count === 2);
  client.abort();
  await assert.rejects(left, { name: 'AbortError' });
  await until('one has left', () => held.abandoned === 1);
  held.release();
  assert.equal((await stayed).status, 200);
  assert.deepEqual(api.sessions(), [{ user: 'demo', revoked: false }]);
  assert.deepEqual(api.log.map(({ status }) => status).sort(), [200, 200, 499]);
});

test('a response that is held has taken effect', async () => {
  const api = await start();
  const issued = await login(api);
  const held = api.hold('/token', 'response');
  const first = refresh(api, issued.refresh_token);
  await until('it has come', () => held.count === 1);
  assert.equal(api.log.length, 1);
  held.release();
  assert.equal((await first).status, 200);
  await assertRefused(await refresh(api, issued.refresh_token), 400, 'invalid_grant');
});

test('revoking a refresh token ends its family (RFC 7009)', async () => {
  const api = await start();
  const issued = await login(api);
  const response = await form(`${api.url}/revoke`, {
    token: issued.refresh_token,
    token_type_hint: 'refresh_token',
  });
  assert.equal(response.status, 200);
  assert.equal((await me(api, issued.access_token)).status, 401);
  await assertRefused(await refresh(api, issued.refresh_token), 400, 'invalid_grant');
});

test('revoking an access token ends its family too', async () => {
  const api = await start();
  const issued = await login(api);
  assert.equal((await form(`${api.url}/revoke`, { token: issued.access_token })).status, 200);
  await assertRefused(await refresh(api, issued.refresh_token), 400, 'invalid_grant');
});

test('revoking an unknown token succeeds, a missing one does not', async () => {
  const api = await start();
  assert.equal((await form(`${api.url}/revoke`, { token: 'nobody-knows-it' })).status, 200);
  await assertRefused(await form(`${api.url}/revoke`, { token_type_hint: 'x' }), 400, 'invalid_request');
});

test('/token names what is wrong with a request (RFC 6749 section 5.2)', async () => {
  const api = await start();
  const url = `${api.url}/token`;
  await assertRefused(await form(url, {}), 400, 'invalid_request');
  await assertRefused(await form(url, { grant_type: 'password' }), 400, 'unsupported_grant_type');
  await assertRefused(await form(url, { grant_type: 'refresh_token' }), 400, 'invalid_request');
  await assertRefused(
    await form(url, { grant_type: 'refresh_token', refresh_token: 'x.y' }),
    400,
    'invalid_grant',
  );
  const twice = 'grant_type=refresh_token&refresh_token=a&refresh_token=b';
  await assertRefused(await post(url, new URLSearchParams(twice)), 400, 'invalid_request');
});

test('malformed bodies are refused with a 4xx', async () => {
  const api = await start();
  const type = { 'Content-Type': 'application/json' };
  const url = `${api.url}/login`;
  for (const body of [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '{}',
    '{"user":1,"password":"x"}',
    new Uint8Array([0xff, 0x22]),
  ]) {
    await assertRefused(await post(url, body, type), 400, 'invalid_request');
  }
  await assertRefused(await post(url, '{}', { 'Content-Type': 'text/plain' }), 415, 'invalid_request');
  await assertRefused(await json(`${api.url}/token`, {}), 415, 'invalid_request');
  await assertRefused(await post(url, 'x'.repeat(70_000), type), 413, 'invalid_request');
});

test('unknown paths and methods are refused', async () => {
  const api = await start();
  await assertRefused(await fetch(`${api.url}/nothing`), 404, 'not_found');
  const wrong = await fetch(`${api.url}/login`);
  assert.equal(wrong.headers.get('allow'), 'POST');
  await assertRefused(wrong, 405, 'method_not_allowed');
});

test('a preflight lets the page send its bearer, and no other origin', async () => {
  const api = await start();
  const preflight = (origin) =>
    fetch(`${api.url}/me`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'authorization',
      },
    });
  for (const origin of ['tauri://localhost', 'http://tauri.localhost', 'http://localhost:5173']) {
    const { status, headers } = await preflight(origin);
    assert.equal(status, 204);
    assert.equal(headers.get('access-control-allow-origin'), origin);
    assert.match(headers.get('access-control-allow-headers'), /authorization/i);
    assert.match(headers.get('vary'), /origin/i);
  }
  const { headers } = await preflight('https://evil.example');
  assert.equal(headers.get('access-control-allow-origin'), null);
  assert.equal(headers.get('access-control-allow-headers'), null);
});

test('errors carry CORS headers too, so that the page can read them', async () => {
  const api = await start();
  const { status, headers } = await fetch(`${api.url}/me`, { headers: { Origin: 'tauri://localhost' } });
  assert.equal(status, 401);
  assert.equal(headers.get('access-control-allow-origin'), 'tauri://localhost');
  assert.match(headers.get('access-control-expose-headers'), /www-authenticate/i);
});

test('test hooks are absent unless enabled', async () => {
  const api = await start();
  for (const path of ['log', 'sessions', 'expire']) {
    assert.equal((await fetch(`${api.url}/test/${path}`)).status, 404);
    assert.equal((await post(`${api.url}/test/${path}`)).status, 404);
  }
});

test('/test/expire ends access tokens, and one refresh puts it right', async () => {
  const api = await start({ testHooks: true });
  const issued = await login(api);
  assert.equal((await post(`${api.url}/test/expire`)).status, 204);
  assert.equal((await me(api, issued.access_token)).status, 401);
  const { access_token: token } = await (await refresh(api, issued.refresh_token)).json();
  assert.equal((await me(api, token)).status, 200);
  assert.deepEqual(await (await fetch(`${api.url}/test/sessions`)).json(), [
    { user: 'demo', revoked: false },
  ]);
});

test('the log names tokens by their id and holds none', async () => {
  const api = await start({ testHooks: true });
  const first = await login(api);
  await me(api, first.access_token);
  await fetch(`${api.url}/${first.access_token}?token=${first.refresh_token}`);
  const second = await (await refresh(api, first.refresh_token)).json();
  await form(`${api.url}/revoke`, { token: second.refresh_token });
  await me(api, second.access_token);
  const text = await (await fetch(`${api.url}/test/log`)).text();
  for (const issued of [first, second]) {
    for (const secret of [issued.access_token, issued.refresh_token]) assert.ok(!text.includes(secret));
  }
  const jti = (issued) => decodeJwt(issued.access_token).jti;
  assert.deepEqual(JSON.parse(text), [
    { method: 'POST', path: '/login', status: 200, hasAuthorization: false, tokenId: null },
    { method: 'GET', path: '/me', status: 200, hasAuthorization: true, tokenId: jti(first) },
    { method: 'GET', path: '(unknown)', status: 404, hasAuthorization: false, tokenId: null },
    { method: 'POST', path: '/token', status: 200, hasAuthorization: false, tokenId: null },
    { method: 'POST', path: '/revoke', status: 200, hasAuthorization: false, tokenId: null },
    { method: 'GET', path: '/me', status: 401, hasAuthorization: true, tokenId: jti(second) },
  ]);
});

test('a refresh token outlives the server, and its file holds no token', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'secure-token-demo-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sessions.json');
  const before = await start({ file });
  const issued = await login(before);
  await before.close();
  running.delete(before);
  const text = readFileSync(file, 'utf8');
  assert.ok(!text.includes(issued.refresh_token.split('.')[1]) && !text.includes(issued.access_token));
  const after = await start({ file });
  assert.equal((await me(after, issued.access_token)).status, 401);
  assert.equal((await refresh(after, issued.refresh_token)).status, 200);
  await assertRefused(await refresh(after, issued.refresh_token), 400, 'invalid_grant');
});

test('the other origin records whether an Authorization header came, and no more', async () => {
  const other = await start({}, createOther);
  const plain = await fetch(`${other.url}/probe`);
  assert.deepEqual(await plain.json(), { hasAuthorization: false });
  const leaked = await fetch(`${other.url}/probe`, { headers: { Authorization: 'Bearer s3cret' } });
  assert.deepEqual(await leaked.json(), { hasAuthorization: true });
  assert.deepEqual(await (await fetch(`${other.url}/test/log`)).json(), [
    { path: '/probe', hasAuthorization: false },
    { path: '/probe', hasAuthorization: true },
  ]);
});

test('/probe tells whether a request carried an Authorization header', async () => {
  const api = await start();
  const { access_token } = await login(api);
  const probe = async (init) => (await fetch(`${api.url}/probe`, init)).json();
  assert.deepEqual(await probe(), { hasAuthorization: false });
  const headers = { Authorization: `Bearer ${access_token}` };
  assert.deepEqual(await probe({ headers }), { hasAuthorization: true });
});

test('during an outage no request is answered, and afterwards all are', async () => {
  const api = await start();
  const { access_token } = await login(api);
  const outage = async (down) => (await form(`${api.url}/outage`, { down: String(down) })).json();
  assert.deepEqual(await outage(true), { isDown: true });
  assert.deepEqual(await (await fetch(`${api.url}/outage`)).json(), { isDown: true });
  await assert.rejects(me(api, access_token), TypeError);
  await assert.rejects(login(api), TypeError);
  assert.deepEqual(await outage(false), { isDown: false });
  assert.equal((await me(api, access_token)).status, 200);
  assert.ok(api.log.every(({ path }) => path !== '/outage'));
});
