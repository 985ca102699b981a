import type { Plugin } from 'vitest/config';

export function docsApp(): Plugin;
