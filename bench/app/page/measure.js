// Measures what the address asks for and hands the figures to the app.
const { Channel, invoke } = window.__TAURI__.core;

const noop = () => invoke('plugin:bench|noop');
const getToken = async () => {
  if ((await invoke('plugin:secure-token|get_token')) === null) throw new Error('there is no token to read');
};
/** A token that has not expired, through the owner of the session. */
const freshToken = () => sessionToken({ fresh: true });

async function sessionToken(args) {
  const { token } = await invoke('plugin:secure-token|session_token', args);
  if (token === undefined) throw new Error('nobody is signed in');
}

/** What a page does when it starts. */
const openSession = () =>
  Promise.all([invoke('plugin:secure-token|session_open', { channel: new Channel() }), sessionToken({})]);

const rounds = 41;
const callsInRound = 200;

/** WebKit's clock ticks in whole milliseconds, so a figure is the time of many calls. */
async function time(call) {
  const started = performance.now();
  for (let count = 0; count < callsInRound; count += 1) await call();
  return performance.now() - started;
}

/** One pair a round, each first in every other round; the first round only warms up. */
const compareCalls = (call) => async () => {
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) {
    const tokenFirst = round % 2 === 0;
    const first = await time(tokenFirst ? call : noop);
    const second = await time(tokenFirst ? noop : call);
    const [token, base] = tokenFirst ? [first, second] : [second, first];
    pairs.push([token / callsInRound, base / callsInRound]);
  }
  return pairs.slice(1);
};

/** The app goes on, with nothing to do. */
const thenIdle = (call) => async () => {
  await call();
  await invoke('plugin:bench|ready');
  return new Promise(() => {});
};

const modes = {
  calls: compareCalls(getToken),
  'fresh-token': compareCalls(freshToken),
  'first-token': openSession,
  'first-noop': noop,
  'idle-token': thenIdle(openSession),
  'idle-noop': thenIdle(noop),
};

try {
  const figures = await modes[new URLSearchParams(location.search).get('mode')]();
  await invoke('plugin:bench|done', { figures: JSON.stringify(figures ?? null) });
} catch (error) {
  await invoke('plugin:bench|done', { figures: JSON.stringify({ failed: String(error?.message ?? error) }) });
}
