// What vitest.config.ts provides to the tests of each project.

import 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    keyStore: boolean;
  }
}
