// What the code blocks of the documentation import as './session'. Compiled with them, never run.

export { authFetch, session } from './auth';
