// The first test of docs/testing.md, as it stands there.

import { vi } from 'vitest';
import 'docs:session.test';

// The API is told of the logout.
vi.stubGlobal('fetch', async () => new Response());
