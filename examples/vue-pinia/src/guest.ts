// The page of the window without permission: asks for the token and shows the refusal.

import { getToken, SecureTokenError } from 'tauri-plugin-secure-token-api';

async function ask(): Promise<string> {
  try {
    await getToken();
    return 'allowed';
  } catch (cause) {
    return cause instanceof SecureTokenError ? cause.code : 'unknown error';
  }
}

const result = document.querySelector('[data-testid="guest-result"]');
if (result) result.textContent = await ask();
