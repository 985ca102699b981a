// Reads `WWW-Authenticate`: whether a 401 is about the token that was sent.

interface Challenge {
  /** In lower case, as the names of schemes and parameters have no case. */
  scheme: string;
  parameters: Map<string, string>;
}

// RFC 9110 section 5.6. A quoted text that does not end goes to the end of the header.
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:\\\\.|[^"\\\\])*"?';

/** What stands between two commas. A quoted text may have commas of its own. */
const ELEMENT = new RegExp(`(?:${QUOTED}|[^,"])+`, 'g');
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:(${QUOTED})|(${TOKEN}))`);
const SCHEME = new RegExp(`^(${TOKEN})(?:\\s+(.*))?$`, 's');

/**
 * The challenges of a header (RFC 9110 section 11.6.1). A comma stands between challenges and also between the parameters of
 * one, so what follows a comma tells which of the two it is.
 */
function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  const take = (text: string) => {
    const [match, name, quoted, plain] = PARAMETER.exec(text) ?? [];
    const value = quoted?.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') ?? plain;
    if (match) challenges[challenges.length - 1]?.parameters.set(`${name}`.toLowerCase(), `${value}`);
    return match !== undefined;
  };
  for (const element of header.match(ELEMENT) ?? []) {
    const text = element.trim();
    if (take(text)) continue;
    const [, scheme, rest] = SCHEME.exec(text) ?? [];
    if (!scheme) continue;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    // Not a parameter if it is a token68, such as `Negotiate oYG3...==`.
    if (rest) take(rest);
  }
  return challenges;
}

/**
 * Whether a new token may help after a 401 with this header.
 *
 * Not if the header names other schemes only, or another `error` than `invalid_token` (RFC 6750 section 3.1): with
 * `insufficient_user_authentication` (RFC 9470), for one, the user has to act. Without the header nobody knows, and a page
 * sees it only if the server exposes it, so then it may.
 */
export function isInvalidToken(header: string | null, scheme: string): boolean {
  const challenges = parseChallenges(header ?? '');
  if (challenges.length === 0) return true;
  const ours = challenges.filter((challenge) => challenge.scheme === scheme.toLowerCase());
  const errors = ours.map(({ parameters }) => parameters.get('error')?.toLowerCase());
  return (
    errors.includes('invalid_token') || (ours.length > 0 && errors.every((error) => error === undefined))
  );
}
