// Lets the demo API play dead: it then cuts off every request, as if no server were there.

import { config } from './config';

const url = `${config.apiUrl}/outage`;

export async function isApiDown(): Promise<boolean> {
  return answer(await fetch(url));
}

export async function setApiDown(down: boolean): Promise<boolean> {
  return answer(await fetch(url, { method: 'POST', body: new URLSearchParams({ down: String(down) }) }));
}

async function answer(response: Response): Promise<boolean> {
  if (!response.ok) throw new TypeError(`the API answered ${response.status}`);
  return ((await response.json()) as { isDown: boolean }).isDown;
}
