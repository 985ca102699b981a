// The component of docs/frameworks/angular.md, as the tests of docs/testing.md import it.

import type { Type } from '@angular/core';

export const Account: Type<unknown>;
