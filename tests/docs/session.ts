// The part of an app that the code blocks of the documentation import as './session'. Compiled with them, never run.

import { createAuthFetch, createSession } from 'tauri-plugin-secure-token-api';
import { api } from './api';

export const session = createSession({ refresh: ({ refreshToken }) => api.refresh(refreshToken) });
export const authFetch = createAuthFetch(session, { origins: ['https://api.example.com'] });
