// Names tokens after the login that they come from, so that a token tells whose it is.

/** Every token of the model begins so; a text with it has leaked one. */
export const SECRET = 'token-';

/** Logins are numbered from 1; the token that the `turn`th refresh of one brought is `token-LOGIN.TURN`. */
export const tokenOf = (login: number, turn = 0): string => `${SECRET}${login}.${turn}`;

export const loginOf = (token: string): number => Number(token.slice(SECRET.length).split('.')[0]);

export function nextOf(token: string): string {
  const [login, turn] = token.slice(SECRET.length).split('.').map(Number);
  return tokenOf(login ?? 0, (turn ?? 0) + 1);
}
