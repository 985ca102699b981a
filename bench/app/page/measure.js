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

/**
 * Signs in, as `me`, as soon as the snapshot shows that the other window has. `seen` is called with each of its logins. The expiry
 * tells which window signed in, and nothing is stored.
 */
async function playPingPong(me, other, seen) {
  const signIn = () =>
    invoke('plugin:secure-token|session_sign_in', { token: 'a', expiresAt: me, remember: false });
  let last = 0;
  const channel = new Channel(({ snapshot }) => {
    if (snapshot?.expiresAt !== other || snapshot.login === last) return;
    last = snapshot.login;
    if (seen()) signIn();
  });
  await invoke('plugin:secure-token|session_open', { channel });
  return signIn;
}

const [pageOne, pageTwo] = [4e12, 5e12];

/** The time from a login in one window to the snapshot in the other, of as many logins as there are calls in a round. */
async function loginToOtherWindow() {
  let logins = 0;
  let finish;
  const signIn = await playPingPong(pageOne, pageTwo, () => {
    logins += 2;
    if (logins < callsInRound) return true;
    finish();
    return false;
  });
  const round = async () => {
    const finished = new Promise((resolve) => {
      finish = resolve;
    });
    logins = 0;
    const started = performance.now();
    await signIn();
    await finished;
    return performance.now() - started;
  };
  await invoke('plugin:bench|open_second');
  const pairs = [];
  for (let count = 0; count < rounds; count += 1) {
    const ours = await round();
    pairs.push([ours / callsInRound, (await time(noop)) / callsInRound]);
  }
  return pairs.slice(1);
}

/** The app goes on, with nothing to do. */
const thenIdle = (call) => async () => {
  await call();
  await invoke('plugin:bench|ready');
  return new Promise(() => {});
};

const modes = {
  calls: compareCalls(getToken),
  'fresh-token': compareCalls(freshToken),
  'login-to-other': loginToOtherWindow,
  'first-token': openSession,
  'first-noop': noop,
  'idle-token': thenIdle(openSession),
  'idle-noop': thenIdle(noop),
};

/** The other window, which says when it is there. */
async function answerLogins() {
  await playPingPong(pageTwo, pageOne, () => true);
  await invoke('plugin:bench|second_is_open');
  return new Promise(() => {});
}

try {
  const mode = new URLSearchParams(location.search).get('mode');
  const figures = await { ...modes, second: answerLogins }[mode]();
  await invoke('plugin:bench|done', { figures: JSON.stringify(figures ?? null) });
} catch (error) {
  await invoke('plugin:bench|done', { figures: JSON.stringify({ failed: String(error?.message ?? error) }) });
}
