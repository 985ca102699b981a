// The views of this page, one per account: several sessions of one account show the same.

import { View } from './view.js';

const views = new Map<string, View>();

export function viewOf(account: string): View {
  let view = views.get(account);
  if (!view) {
    view = new View(account);
    views.set(account, view);
  }
  return view;
}

/** Sessions that are made from now on are as those of a page that has just been loaded. */
export function forgetViews(): void {
  views.clear();
}
