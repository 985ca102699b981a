// Ends requests whose response nobody can read any more, as the page's own fetch does: each holds one of the turns.

import { abortRequest } from '../../ipc/native-requests.js';
import type { EndTurn } from './turns.js';

interface Held {
  id: number;
  endTurn: EndTurn;
}

interface Registry {
  register(target: object, held: Held, token: object): void;
  unregister(token: object): void;
}

/** Webviews from before 2021 lack it. */
const { FinalizationRegistry: Finalization } = globalThis as {
  FinalizationRegistry?: new (clean: (held: Held) => void) => Registry;
};

/** Knows streams by the exchange that they belong to. */
export const abandoned =
  Finalization &&
  new Finalization(({ id, endTurn }) => {
    endTurn();
    abortRequest(id).catch(() => {});
  });
