// @vitest-environment happy-dom
// The test of docs/testing.md for this front end, as it stands there.

import { vi } from 'vitest';
import 'docs:account.vue.test';

// The API is told of the logout.
vi.stubGlobal('fetch', async () => new Response());
vi.spyOn(console, 'log').mockImplementation(() => {});
