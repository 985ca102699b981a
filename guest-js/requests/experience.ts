// What addresses made of the newest token: a refresh does not help where the next token was refused as well.

/** `refused`: it came from a refresh, and was refused all the same. */
type Fate = 'accepted' | 'refused';

/** For how many milliseconds an address that has refused a new token is believed to refuse all. */
const DISBELIEF = 60_000;

/** A bound, since addresses may contain the ids of things. */
const MOST_ADDRESSES = 1000;

export class Experience {
  private token: string | undefined;
  private readonly addresses = new Map<string, { fate: Fate; at: number }>();

  add(address: string, token: string, fate: Fate): void {
    if (token !== this.token || this.addresses.size >= MOST_ADDRESSES) this.addresses.clear();
    this.token = token;
    this.addresses.set(address, { fate, at: Date.now() });
  }

  of(address: string, token: string): Fate | undefined {
    const known = token === this.token ? this.addresses.get(address) : undefined;
    if (known?.fate !== 'refused') return known?.fate;
    const age = Date.now() - known.at;
    // Below 0: the clock was set back, and nobody knows how long ago it was.
    return age >= 0 && age < DISBELIEF ? 'refused' : undefined;
  }
}
