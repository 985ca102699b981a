// The owner in JavaScript, asked directly: leases, and what it does with input that no page of ours sends.

import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Lease, Owner, OwnerMessage } from '../../ipc/owner.js';
import { MemoryOwner } from '../../session/memory-owner.js';
import { until } from '../support/helpers.js';

const OLD = { token: 't1', refreshToken: 'r1' };
const NEXT = { token: 't2', refreshToken: 'r2' };

let owner: MemoryOwner;
let page: Owner & { close(): void };
let other: Owner & { close(): void };

async function connect(refreshes = true, listener: (message: OwnerMessage) => void = () => {}) {
  const connected = owner.connect();
  await connected.open(listener, { refreshes, revokes: true });
  return connected;
}

beforeEach(async () => {
  owner = new MemoryOwner();
  await owner.signIn(OLD);
  [page, other] = [await connect(), await connect()];
});

async function leaseOf(asker: Owner): Promise<Lease> {
  const leased = await asker.lease();
  if (!('lease' in leased)) throw new Error('no lease');
  return leased;
}

describe('P8 a lease', () => {
  it('has the record, and is answered once', async () => {
    const { lease, record, login } = await leaseOf(page);
    expect(record).toEqual(OLD);
    expect(await page.answer(lease, NEXT)).toMatchObject({ token: 't2', login });
    await expect(page.answer(lease, { token: 't3' })).rejects.toMatchObject({ code: 'conflict' });
    expect(owner.held?.record).toEqual(NEXT);
  });

  it.each<[string, (lease: number) => Promise<unknown>]>([
    ['by another page', (lease) => other.answer(lease, NEXT)],
    ['with a number that is none', () => page.answer(4711, NEXT)],
    ['by another page, as the end of the session', (lease) => other.answer(lease, { ended: true })],
    ['by another page, as a failure', (lease) => other.answer(lease, { failed: true })],
  ])('answered %s: conflict, and the lease stays', async (_, answer) => {
    const { lease } = await leaseOf(page);
    await expect(answer(lease)).rejects.toMatchObject({ code: 'conflict' });
    expect(await page.answer(lease, NEXT)).toMatchObject({ token: 't2' });
  });

  it.each([[{ token: '' }], [{ token: 'a\nb' }], [{ token: 't', refreshToken: 'a\0b' }]])(
    'answered with tokens that break the rules (%j): refused, and the lease stays',
    async (tokens) => {
      const { lease } = await leaseOf(page);
      await expect(page.answer(lease, tokens)).rejects.toMatchObject({ code: 'invalid-argument' });
      expect(await page.answer(lease, NEXT)).toMatchObject({ token: 't2' });
    },
  );

  it('answered after another login: no token, and what was bought is revoked', async () => {
    const { lease } = await leaseOf(page);
    await other.signIn({ token: 'u1' });
    const result = await page.answer(lease, NEXT);
    expect(result).not.toHaveProperty('token');
    expect(owner.held?.record).toEqual({ token: 'u1' });
    expect(await other.revokes()).toEqual([OLD, NEXT]);
    expect(await other.revokes()).toEqual([]);
  });

  it('of a page that is gone goes to the next one that waits', async () => {
    await leaseOf(page);
    const waiting = other.lease();
    page.close();
    expect(await waiting).toMatchObject({ record: OLD });
  });

  it('that nobody answers ends after a minute, and whoever waits hears of it', async () => {
    vi.useFakeTimers();
    await leaseOf(page);
    const without = await connect(false);
    const waiting = expect(without.token({ rejected: 't1' })).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(121_000);
    await waiting;
  });

  it('is offered to a page that can refresh, for one that cannot', async () => {
    const messages: OwnerMessage[] = [];
    const able = await connect(true, (message) => messages.push(message));
    const without = await connect(false);
    const waiting = without.token({ rejected: 't1' });
    await until(() => expect(messages).toContainEqual({ refresh: true }));
    const { lease } = await leaseOf(able);
    await able.answer(lease, NEXT);
    expect(await waiting).toMatchObject({ token: 't2' });
    // It was asked once: a second lease would cost a refresh that nobody wants.
    expect(messages.filter((message) => 'refresh' in message)).toHaveLength(1);
  });
});

describe('a token', () => {
  it('of a login that is over is not given', async () => {
    const { login } = await page.token();
    await other.signIn({ token: 'u1' });
    expect(await page.token({ login })).not.toHaveProperty('token');
    expect(await page.token()).toMatchObject({ token: 'u1' });
  });

  it('instead of one that this owner never gave is none', async () => {
    expect(await page.token({ rejected: 'x'.repeat(1 << 20) })).not.toHaveProperty('token');
  });

  it('instead of one that was replaced costs no refresh, for the last eight', async () => {
    for (let turn = 2; turn < 12; turn++) {
      const { lease } = await leaseOf(page);
      await page.answer(lease, { token: `t${turn}`, refreshToken: `r${turn}` });
    }
    expect(await page.lease({ rejected: 't10' })).toMatchObject({ token: 't11' });
    expect(await page.lease({ rejected: 't3' })).toMatchObject({ token: 't11' });
    expect(await page.lease({ rejected: 't2' })).not.toHaveProperty('token');
  });
});

it('records that nobody revokes do not pile up', async () => {
  for (let turn = 0; turn < 200; turn++) await owner.signIn({ token: `u${turn}` });
  expect((await page.revokes()).length).toBe(64);
});
