// A stand-in for the Rust side of @tauri-apps/plugin-http (its src/commands.rs): it sends with Node's fetch.

interface ClientConfig {
  method: string;
  url: string;
  headers: [string, string][];
  data: number[] | null;
  maxRedirections?: number;
}

interface Pending {
  config: ClientConfig;
  stop: AbortController;
}

export class HttpPlugin {
  readonly requests = new Map<number, Pending>();
  /** Responses that were neither read to their end nor dropped: a real one holds a connection. */
  readonly bodies = new Map<number, ReadableStreamDefaultReader<Uint8Array>>();
  #last = 0;

  readonly answer = async (command: string, payload: unknown): Promise<unknown> => {
    const { clientConfig, rid = 0 } = payload as { clientConfig: ClientConfig; rid?: number };
    switch (command) {
      case 'plugin:http|fetch':
        // What crosses the bridge is JSON. Nothing is sent yet.
        this.requests.set(++this.#last, {
          config: JSON.parse(JSON.stringify(clientConfig)),
          stop: new AbortController(),
        });
        return this.#last;
      case 'plugin:http|fetch_cancel':
        return this.requests.get(rid)?.stop.abort();
      case 'plugin:http|fetch_send':
        return this.#send(rid);
      case 'plugin:http|fetch_read_body':
        return this.#read(rid);
      case 'plugin:http|fetch_cancel_body': {
        const reader = this.bodies.get(rid);
        this.bodies.delete(rid);
        return reader?.cancel();
      }
    }
    throw `${command} not found`;
  };

  async #send(rid: number) {
    const { config, stop } = this.#get(this.requests, rid);
    const { url, method, headers, data, maxRedirections } = config;
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        body: data && new Uint8Array(data),
        redirect: maxRedirections === 0 ? 'manual' : 'follow',
        signal: stop.signal,
      });
    } catch {
      // Rust's errors arrive as text.
      throw stop.signal.aborted ? 'Request canceled' : `error sending request for url (${url})`;
    } finally {
      this.requests.delete(rid);
    }
    const { status, statusText } = response;
    const body = ++this.#last;
    this.bodies.set(body, (response.body ?? new Blob().stream()).getReader());
    return { status, statusText, url: response.url, headers: [...response.headers], rid: body };
  }

  /** A chunk and 0, or only 1 at the end. */
  async #read(rid: number) {
    const { value, done } = await this.#get(this.bodies, rid).read();
    if (done) this.bodies.delete(rid);
    return done ? [1] : [...value, 0];
  }

  #get<T>(resources: Map<number, T>, rid: number): T {
    const resource = resources.get(rid);
    if (!resource) throw `The resource id ${rid} is invalid.`;
    return resource;
  }
}
