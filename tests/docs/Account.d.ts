// The component of docs/frameworks/react.md, as the tests of docs/testing.md import it.

import type { FunctionComponent } from 'react';

export const Account: FunctionComponent;
