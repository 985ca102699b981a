// What every Angular app of these tests provides.

import { IMAGE_CONFIG } from '@angular/common';
import { provideZonelessChangeDetection } from '@angular/core';

/** While developing, Angular looks at all images some time after the start, when a test may have taken its document away. */
const withoutImageChecks = {
  provide: IMAGE_CONFIG,
  useValue: { disableImageSizeWarning: true, disableImageLazyLoadWarning: true },
};

export const testProviders = [provideZonelessChangeDetection(), withoutImageChecks];
