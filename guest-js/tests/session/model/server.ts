// The auth server: one-time refresh tokens. It keeps the rule that no refresh token is used twice (P8).

import type { TokenRecord } from '../../../ipc/commands.js';
import type { Tokens } from '../../../session/session.js';
import { nextOf } from './lineage.js';
import type { ServerResponse, World } from './world.js';

/** One use of a refresh token. */
interface Use {
  isOver: boolean;
  /** Whoever used it was gone, or too late, before the owner heard of the outcome. */
  isLost: boolean;
}

const FAILURES: Record<Exclude<ServerResponse, 'rotated' | 'kept'>, object> = {
  network: new TypeError('Failed to fetch'),
  busy: { status: 503 },
  refused: { status: 400, error: 'invalid_grant' },
};

export class Server {
  /** The uses of each refresh token that is used up or on its way. */
  readonly #uses = new Map<string, Use[]>();
  /** The newest refresh token of each that was replaced. */
  readonly replaced = new Map<string, string>();

  constructor(readonly world: World) {}

  /** Buys the next tokens. The returned function says that whoever asked is gone. */
  refresh({ token, refreshToken = '' }: TokenRecord): { tokens: Promise<Tokens>; lose(): void } {
    const { world } = this;
    const use: Use = { isOver: false, isLost: false };
    const before = this.#uses.get(refreshToken) ?? [];
    world.demand(
      before.every(({ isLost }) => isLost),
      `P8 ${refreshToken} is used twice`,
    );
    this.#uses.set(refreshToken, [...before, use]);
    const tokens = new Promise<Tokens>((resolve, reject) => {
      world.owe(`the server refreshes ${refreshToken}`, ({ server }) => {
        use.isOver = true;
        // What did not use it up may be tried again.
        if (server !== 'rotated')
          this.#uses.set(
            refreshToken,
            (this.#uses.get(refreshToken) ?? []).filter((other) => other !== use),
          );
        if (server !== 'rotated' && server !== 'kept') return reject(FAILURES[server]);
        const next = nextOf(token);
        if (server === 'kept') return resolve({ token: next, expiresIn: 900 });
        this.replaced.set(refreshToken, `r${next}`);
        resolve({ token: next, refreshToken: `r${next}`, expiresIn: 900 });
      });
    });
    return {
      tokens,
      lose() {
        use.isLost = true;
      },
    };
  }
}
