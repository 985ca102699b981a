//! What one process does is seen in another one before that hands out a token.

use serde_json::{Value, json};

use crate::{
    server::{Hold, Server, refresh_token, token},
    worker::{Home, Refresher, Worker},
};

/// Two processes of a user who is signed in.
fn two(server: &Server, home: &Home, refresher: Refresher) -> (Worker, Worker, u32) {
    let family = server.begin_family();
    let mut one = home.start(server, refresher);
    let mut other = home.start(server, refresher);
    one.sign_in(family);
    assert_eq!(other.fresh()["token"], token(family, 0));
    (one, other, family)
}

#[test]
fn p3_p9_each_change_of_one_process_is_known_in_another_before_it_gives_a_token() {
    let (server, home) = (Server::start(false), Home::new());
    let (mut one, mut other, family) = two(&server, &home, Refresher::Page);
    let before = other.fresh()["login"].clone();

    assert_eq!(one.instead_of(&token(family, 0))["token"], token(family, 1));
    let rotated = other.fresh();
    assert_eq!(rotated["token"], token(family, 1));
    assert_eq!(rotated["login"], before, "a rotation stays in its login");
    assert_eq!(
        other.instead_of(&token(family, 0))["token"],
        token(family, 1)
    );

    let next = server.begin_family();
    one.sign_in(next);
    let given = other.instead_of(&token(family, 1));
    assert_eq!(given["token"], Value::Null, "a request of the login before");
    let given = other.fresh();
    assert_eq!(given["token"], token(next, 0));
    assert_ne!(given["login"], before);

    one.sign_out();
    let given = other.fresh();
    assert_eq!(given["token"], Value::Null);
    assert_eq!(given["snapshot"]["status"], "signedOut");
    assert_eq!(given["snapshot"]["reason"], "elsewhere");

    let last = server.begin_family();
    one.sign_in(last);
    assert_eq!(other.fresh()["token"], token(last, 0));
    server.state().families.get_mut(&last).unwrap().has_ended = true;
    let refused = one.instead_of(&token(last, 0));
    assert_eq!(refused["snapshot"]["reason"], "refused");
    let given = other.instead_of(&token(last, 0));
    assert_eq!(given["token"], Value::Null);
    assert_eq!(given["snapshot"]["reason"], "elsewhere");
    assert_eq!(server.state().uses[&refresh_token(last, 0)], 1);
}

fn sign_out_amid_a_refresh_of_another(refresher: Refresher, signs_in_again: bool) {
    let (server, home) = (Server::start(false), Home::new());
    let (mut one, mut other, family) = two(&server, &home, refresher);
    server.hold(Hold::Response);
    other.begin_instead_of(&token(family, 0));
    server.wait_until("a decision", |state| state.decided == 1);
    one.sign_out();
    let newest = if signs_in_again {
        let next = server.begin_family();
        one.sign_in(next);
        json!(token(next, 0))
    } else {
        Value::Null
    };
    server.hold(Hold::Nothing);
    let given = other.answer();
    assert_ne!(given["token"], token(family, 1), "{given}");
    let bought = refresh_token(family, 1);
    server.wait_until("a revocation", |state| state.revoked.contains(&bought));
    for worker in [&mut one, &mut other] {
        assert_eq!(worker.fresh()["token"], newest);
    }
    let mut late = home.start(&server, refresher);
    assert_eq!(late.fresh()["token"], newest);
}

#[test]
fn p3_a_sign_out_amid_the_refresh_of_another_process_stays_and_what_it_bought_is_revoked() {
    sign_out_amid_a_refresh_of_another(Refresher::Page, false);
    sign_out_amid_a_refresh_of_another(Refresher::Rust, false);
}

#[test]
fn p3_a_new_login_amid_the_refresh_of_another_process_stays() {
    sign_out_amid_a_refresh_of_another(Refresher::Page, true);
    sign_out_amid_a_refresh_of_another(Refresher::Rust, true);
}
