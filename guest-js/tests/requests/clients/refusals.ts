// What every way of sending does with a request that the server refuses: the same tests for each.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthFetchOptions } from '../../../requests/fetch.js';
import type { Session, SessionOptions, Tokens } from '../../../session/session.js';
import { rejection } from '../../support/fake-vault.js';
import { deferred, until } from '../../support/helpers.js';
import { keyStore, signedInPage } from '../../support/project.js';
import { type Received, serve, serveApi, type TestServer } from '../../support/servers.js';

type Send = (url: string, body?: { field: string }) => Promise<{ status: number }>;

/** The options that every way of sending has. */
export type RefusalOptions = Pick<AuthFetchOptions, 'origins' | 'scheme' | 'insecureOrigins'> & {
  expired?: ((response: { status: number }) => boolean) | false;
};

export interface RefusalTraits {
  /** Sends a GET, or with a body a POST of it as JSON. Resolves also with the status of a refusal. */
  connect(session: Session, options: RefusalOptions): Send | Promise<Send>;
  /** Sends a POST with `repeat: false`, where the library has a way for that. */
  once?(session: Session, options: RefusalOptions): Send;
  /** Finds what createAuthFetch rejected with in what the library rejects with. */
  reason?: (error: Error) => unknown;
  /** Answers the commands of other plugins. */
  others?: (command: string, payload: unknown) => unknown;
}

export function testRefusals(traits: RefusalTraits) {
  // A group, for the page of its own.
  describe('a refusal', () => refusals(traits));
}

function refusals({ connect, once, reason = (error) => error, others }: RefusalTraits) {
  let page: Awaited<ReturnType<typeof signedInPage>>;
  const newTokens = () => vi.fn(async (): Promise<Tokens> => ({ token: 't2', refreshToken: 'r2' }));

  beforeEach(async () => {
    page = await signedInPage({ token: 't1', refreshToken: 'r1' }, others);
  });

  const sessionWith = (refresh: SessionOptions['refresh']) => page.createSession(refresh && { refresh });
  const tokensOf = ({ received }: TestServer) => received.map(({ authorization }) => authorization);

  /** An API that refuses the first token in its own way. */
  const refusing = (status: number, header?: string) =>
    serve(({ authorization }: Received, response) => {
      const isNew = authorization === 'Bearer t2';
      response.writeHead(isNew ? 200 : status, header ? { 'www-authenticate': header } : {});
      response.end(isNew ? 'hello' : 'refused');
    });

  describe('a 401', () => {
    it.each([
      'Bearer realm="api", error="insufficient_user_authentication", acr_values="strong"',
      'Bearer error="insufficient_scope"',
      'Basic realm="api"',
    ])('%s is handed on without a refresh', async (header) => {
      const api = await refusing(401, header);
      const refresh = newTokens();
      const send = await connect(sessionWith(refresh), { origins: [api.origin] });
      expect((await send(api.origin)).status).toBe(401);
      expect(api.received).toHaveLength(1);
      expect(refresh).not.toHaveBeenCalled();
    });

    it.each([undefined, 'Bearer', 'Basic realm="api", Bearer error="invalid_token"'])(
      '%s is refreshed',
      async (header) => {
        const api = await refusing(401, header);
        const send = await connect(sessionWith(newTokens()), { origins: [api.origin] });
        expect((await send(api.origin)).status).toBe(200);
        expect(tokensOf(api)).toEqual(['Bearer t1', 'Bearer t2']);
      },
    );

    it('of a request that is not to be repeated is handed on', async () => {
      if (!once) return;
      const api = await serveApi('t2');
      const refresh = newTokens();
      const send = once(sessionWith(refresh), { origins: [api.origin] });
      expect((await send(api.origin, { field: 'value' })).status).toBe(401);
      expect(api.received).toMatchObject([{ method: 'POST', body: '{"field":"value"}' }]);
      expect(refresh).not.toHaveBeenCalled();
    });
  });

  describe('what means that the token has expired', () => {
    it.each([403, 419])('%i, if the app says so', async (status) => {
      const api = await refusing(status);
      const refresh = newTokens();
      const options = {
        origins: [api.origin],
        expired: (response: { status: number }) => response.status === status,
      };
      const send = await connect(sessionWith(refresh), options);
      expect((await send(api.origin, { field: 'value' })).status).toBe(200);
      expect(tokensOf(api)).toEqual(['Bearer t1', 'Bearer t2']);
      expect(api.received.map(({ body }) => body)).toEqual(Array(2).fill('{"field":"value"}'));
    });

    it.each([403, 419])('%i does not by itself', async (status) => {
      const api = await refusing(status);
      const refresh = newTokens();
      const send = await connect(sessionWith(refresh), { origins: [api.origin] });
      expect((await send(api.origin)).status).toBe(status);
      expect(refresh).not.toHaveBeenCalled();
    });

    it('false: nothing does', async () => {
      const api = await serveApi('t2');
      const refresh = newTokens();
      const send = await connect(sessionWith(refresh), { origins: [api.origin], expired: false });
      expect((await send(api.origin)).status).toBe(401);
      expect(refresh).not.toHaveBeenCalled();
    });
  });

  describe('P9 when somebody else has signed in meanwhile', () => {
    /** An API that takes the token of the second user, and lets the first one wait. */
    const slow = async () => {
      const gate = deferred<void>();
      const api = await serve(async ({ authorization }, response) => {
        if (authorization !== 'Bearer u1') await gate.promise;
        response.writeHead(authorization === 'Bearer u1' ? 200 : 401).end();
      });
      return { api, open: gate.resolve };
    };

    it.each([
      ['a session without a refresh', undefined],
      ['a session with one', newTokens],
    ])('of %s, the late 401 is handed on', async (_, refresh) => {
      const { api, open } = await slow();
      const session = sessionWith(refresh?.());
      const send = await connect(session, { origins: [api.origin] });
      const sending = send(api.origin, { field: 'of the first user' });
      await until(() => expect(api.received).toHaveLength(1));
      await session.logout();
      await session.login({ token: 'u1' });
      open();
      expect((await sending).status).toBe(401);
      expect(tokensOf(api)).toEqual(['Bearer t1']);
    });

    it('a request that waits is not sent', async () => {
      const { api } = await slow();
      const session = sessionWith(newTokens());
      const gate = deferred<void>();
      const freshToken = vi.fn(() => gate.promise.then(() => session.freshToken()));
      const send = await connect({ ...session, freshToken }, { origins: [api.origin] });
      const sending = send(api.origin, { field: 'of the first user' }).catch((error: Error) => error);
      await until(() => expect(freshToken).toHaveBeenCalled());
      await session.login({ token: 'u1' });
      gate.resolve();
      const error = await sending;
      expect(error).toBeInstanceOf(Error);
      expect(reason(error as Error)).toMatchObject({ name: 'AbortError', code: 'conflict' });
      expect(api.received).toEqual([]);
    });
  });

  if (keyStore)
    it('A16 while the key store cannot be read, its error is handed on and nothing is sent', async () => {
      const api = await serveApi('t1');
      page.vault.fail('get_token', rejection('locked'));
      const send = await connect(sessionWith(newTokens()), { origins: [api.origin] });
      const error = await send(api.origin).catch((error: Error) => error);
      expect(reason(error as Error)).toMatchObject({ name: 'SecureTokenError', code: 'locked' });
      expect(api.received).toEqual([]);
    });

  it('the scheme of the app is sent, also with the repetition', async () => {
    const api = await serve(({ authorization }, response) => {
      const isNew = authorization === 'Token t2';
      response.writeHead(isNew ? 200 : 401, { 'www-authenticate': 'Token' }).end();
    });
    const send = await connect(sessionWith(newTokens()), { origins: [api.origin], scheme: 'Token' });
    expect((await send(api.origin)).status).toBe(200);
    expect(tokensOf(api)).toEqual(['Token t1', 'Token t2']);
  });

  it('a response that a refresh throws is the cause of an error', async () => {
    const api = await serveApi('t2');
    const unavailable = new Response('try later', { status: 503 });
    const send = await connect(
      sessionWith(() => Promise.reject(unavailable)),
      { origins: [api.origin] },
    );
    const error = await send(api.origin).then(
      () => undefined,
      (error: Error) => reason(error),
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ message: expect.stringContaining('503'), cause: unavailable });
  });

  it.each([[], 'https://api.example.com', ['http://api.example.com']])(
    'origins: %j is refused',
    async (origins) => {
      const connecting = async () => connect(sessionWith(undefined), { origins: origins as string[] });
      await expect(connecting()).rejects.toMatchObject({ name: 'TypeError', code: 'invalid-argument' });
    },
  );
}
