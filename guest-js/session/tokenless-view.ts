// What a page that gets no token knows of the session of one account. One view per account.

import { View } from './view.js';

class TokenlessView extends View {
  protected override get lacksToken(): boolean {
    return false;
  }
}

const views = new Map<string, View>();

export function tokenlessViewOf(account: string): View {
  let view = views.get(account);
  if (!view) {
    view = new TokenlessView(account);
    views.set(account, view);
  }
  return view;
}
