// The calls that trade tokens with the API. They carry no bearer; all others go through `authFetch`.

import type { TokenRecord, Tokens } from 'tauri-plugin-secure-token-api';
import { config } from './config';

/**
 * An answer other than success. The session reads `status` and `error` to tell an ended session from a bad network.
 */
export class ApiError extends Error {
  readonly status: number;
  /** RFC 6749 section 5.2, for instance `invalid_grant`. */
  readonly error: string;

  constructor(status: number, error: string) {
    super(`${status} ${error}`);
    this.status = status;
    this.error = error;
  }
}

export async function login(user: string, password: string): Promise<Tokens> {
  const body = JSON.stringify({ user, password });
  return tokens(await post('/login', body, { headers: { 'Content-Type': 'application/json' } }));
}

/** RFC 6749 section 6. */
export async function rotate({ refreshToken = '' }: TokenRecord, signal: AbortSignal): Promise<Tokens> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  return tokens(await post('/token', form, { signal }));
}

/** RFC 7009. The refresh token is the one to name: the API then ends the whole sign-in. */
export async function revoke({ token, refreshToken = token }: TokenRecord): Promise<void> {
  await post('/revoke', new URLSearchParams({ token: refreshToken }));
}

async function post(path: string, body: BodyInit, init?: RequestInit): Promise<Response> {
  const response = await fetch(config.apiUrl + path, { ...init, method: 'POST', body });
  if (!response.ok) {
    const { error } = (await response.json()) as { error: string };
    throw new ApiError(response.status, error);
  }
  return response;
}

async function tokens(response: Response): Promise<Tokens> {
  const body = (await response.json()) as { access_token: string; expires_in: number; refresh_token: string };
  return { token: body.access_token, expiresIn: body.expires_in, refreshToken: body.refresh_token };
}
