//! What happens in an order: by pages, by Rust callers, by people, and to all of them.

use super::*;

const CALLS: usize = 8;

/// Short times, so that much happens at once, and now and then a long one, so that tokens expire.
async fn pause(random: &mut Rng) {
    let longest = if random.u8(0..12) == 0 { 30_000 } else { 120 };
    tokio::time::sleep(Duration::from_millis(random.u64(0..longest))).await;
}

impl World {
    pub(super) async fn sign_in_first(&self) {
        let at = self.alive.borrow()[0].clone();
        let acted = at.life.run(self.sign_in(&at.process, true)).await;
        self.facts.acted(acted.flatten());
    }

    /// A webview that shows one page after the other, until its process is killed; then one of another.
    pub(super) async fn page(&self, webview: usize, mut random: Rng) {
        let mut calls = 0;
        while calls < CALLS {
            let at = self.any(&mut random);
            let shown = async {
                at.process.session().ready().await;
                while calls < CALLS {
                    let page = Page::open(&at.process, &format!("{webview}.{calls}"));
                    self.calls_of(&page, &mut calls, &mut random).await;
                }
            };
            at.life.run(shown).await;
        }
    }

    /// Until the page is reloaded.
    async fn calls_of(&self, page: &Page, calls: &mut usize, random: &mut Rng) {
        while *calls < CALLS {
            *calls += 1;
            pause(random).await;
            match random.u8(0..14) {
                0 => return,
                // Takes a lease and does nothing with it.
                1 => {
                    let asked = page.ask(Ask::New, None).await;
                    if matches!(asked, Ok(Given::Lease(_))) && random.bool() {
                        return;
                    }
                }
                // Is reloaded before the response of the server comes.
                2 if self.plan.has_grace => {
                    if let Ok(Given::Lease(lease)) = page.ask(Ask::New, None).await {
                        self.facts.cut_off_one();
                        let refresh_token = lease.record.refresh_token.as_ref();
                        let _lost = self.server.refresh(refresh_token.unwrap());
                        return;
                    }
                }
                3 => {
                    for record in page.owner.take_revokes() {
                        self.server.revoke(&record.refresh_token.unwrap());
                    }
                }
                _ => self.want(&page.owner, Some(page), random).await,
            }
        }
    }

    pub(super) async fn rust(&self, mut random: Rng) {
        for _ in 0..CALLS {
            pause(&mut random).await;
            let at = self.any(&mut random);
            let called = async {
                at.process.session().ready().await;
                self.want(&at.process.owner(), None, &mut random).await;
            };
            at.life.run(called).await;
        }
    }

    /// Asks for a token under the login of this moment, and looks at what comes.
    async fn want(&self, owner: &Arc<Owner>, page: Option<&Page>, random: &mut Rng) {
        let now = owner.look(|state| (state.login, state.record().cloned()));
        let (login, Some(record)) = now else { return };
        let ended = self.facts.ended();
        let (of, _) = parts(&record.token);
        if self.plan.processes == 1 && ended.contains(&of) {
            self.facts.wrong("P3: a login that had ended is in memory");
        }
        let ask = match random.u8(0..3) {
            0 => Ask::Fresh(Duration::ZERO),
            _ => instead_of(&record.token),
        };
        let given = match page {
            Some(page) => page.token(&self.server, ask, Some(login)).await,
            None => match owner.give(Want::new(ask, Some(login), None)).await {
                Ok(Given::Token(access)) => access.record.map(|record| record.token.clone()),
                _ => None,
            },
        };
        let Some((given, _)) = given.as_ref().map(parts) else {
            return;
        };
        if given != of {
            self.facts.wrong("P9: a token of another login was given");
        }
        if ended.contains(&given) {
            self.facts
                .wrong("P3: a token was given after its login had ended");
        }
    }

    pub(super) async fn people(&self, mut random: Rng) {
        for _ in 0..4 {
            pause(&mut random).await;
            let at = self.any(&mut random);
            self.facts.act();
            let (is_strict, is_alone) = (self.plan.is_strict, self.plan.processes == 1);
            let act = async {
                let process = &at.process;
                match random.u8(0..8) {
                    0 if is_strict => self.set_strictly(process).await,
                    1 if is_strict => self.clear_strictly(process).await,
                    2 if is_alone && !self.plan.is_killing() => self.sign_in(process, false).await,
                    0..5 => self.sign_in(process, true).await,
                    _ => self.sign_out(process).await,
                }
            };
            let acted = at.life.run(act).await;
            self.facts.acted(acted.flatten());
        }
    }

    async fn sign_in(&self, process: &Process, remember: bool) -> Option<Expected> {
        let tokens = self.server.login();
        let (login, _) = parts(&tokens.token);
        let snapshot = process.owner().sign_in(tokens, remember).await.unwrap();
        let is_kept = snapshot.persisted || self.plan.trouble == Trouble::Store || !remember;
        // In several processes it may be stored later than the sign-out of another.
        if is_kept || self.plan.processes == 1 {
            self.facts.begin(login);
        }
        is_kept.then_some(Expected::SignedIn(login))
    }

    async fn sign_out(&self, process: &Process) -> Option<Expected> {
        let before = self.facts.begun();
        let snapshot = process.session().logout().await;
        if snapshot.persisted {
            self.facts.end(before);
        }
        let is_final = snapshot.persisted || self.plan.trouble == Trouble::Store;
        is_final.then_some(Expected::SignedOut)
    }

    async fn set_strictly(&self, process: &Process) -> Option<Expected> {
        let tokens = self.server.login();
        let (login, _) = parts(&tokens.token);
        let record = tokens.into_record(None, clock::Moment::now());
        let (strict, account) = (process.strict(), Account::default());
        strict.set_token(&account, record, None).await.ok()?;
        self.facts.begin(login);
        Some(Expected::SignedIn(login))
    }

    async fn clear_strictly(&self, process: &Process) -> Option<Expected> {
        let before = self.facts.begun();
        let (strict, account) = (process.strict(), Account::default());
        strict.clear_token(&account, None).await.ok()?;
        self.facts.end(before);
        Some(Expected::SignedOut)
    }

    /// What goes wrong, until everything is healed.
    pub(super) async fn troubles(&self, mut random: Rng) {
        let mut set_by = 0;
        for _ in 0..6 {
            pause(&mut random).await;
            match random.u8(0..8) {
                0 => self.server.set_down(true),
                1 => {
                    let change = random.i64(-3_600_000..3_600_000);
                    clock::virtual_wall::set_by(change);
                    set_by += change;
                }
                2 => {
                    let lifetime = Duration::from_secs(random.u64(5..60));
                    self.server.set_lifetime(Some(lifetime));
                }
                3 => {
                    let slow = Duration::from_millis(random.u64(1..400));
                    self.store.inject(Fault::Slow(slow));
                }
                4 if self.plan.has_faults() => self.store.inject(fault(&mut random)),
                5 if self.plan.is_killing() => self.kill(&mut random).await,
                _ => {
                    self.server.set_down(false);
                    self.store.heal();
                }
            }
        }
        clock::virtual_wall::set_by(-set_by);
        self.server.set_down(false);
        self.store.heal();
    }

    /// Kills a process, and starts another in its place.
    async fn kill(&self, random: &mut Rng) {
        let index = random.usize(..self.plan.processes);
        let killed = self.alive.borrow()[index].clone();
        self.facts.cut_off_one();
        killed.life.kill();
        // What runs in it is gone once it has been polled.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let next = self.start().await;
        self.alive.borrow_mut()[index] = next.clone();
        let ready = async {
            let snapshot = next.process.session().ready().await;
            let is_empty = snapshot.status == Status::SignedOut && snapshot.reason.is_none();
            let is_alone = self.plan.processes == 1 && !self.plan.is_strict;
            if is_alone && is_empty && self.stored().is_some() {
                self.facts
                    .wrong("P1: signed out while the store has a record");
            }
        };
        next.life.run(ready).await;
    }
}

fn fault(random: &mut Rng) -> Fault {
    let codes = [
        ErrorCode::Locked,
        ErrorCode::Unavailable,
        ErrorCode::Timeout,
        ErrorCode::Denied,
        ErrorCode::Internal,
    ];
    let code = codes[random.usize(..codes.len())];
    match random.u8(0..5) {
        0 => Fault::FailsAfter(random.usize(..4), code),
        1 => Fault::Slow(Duration::from_secs(random.u64(1..40))),
        2 => Fault::Hangs,
        3 => Fault::Prompts,
        _ => Fault::Fails(code),
    }
}
