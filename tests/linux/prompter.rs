//! A stand-in for the program that shows gnome-keyring's prompts, and for the person before it.
//!
//! It speaks the two interfaces of gcr's prompter: a prompt begins, is told to be ready, is performed,
//! and is answered over its callback.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::StreamExt;
use zbus::{
    Connection, MessageStream,
    message::{self, Message},
    zvariant::{OwnedObjectPath, OwnedValue, Value},
};

use crate::session::until;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Looks at the prompt and does nothing.
    Ignores,
    Cancels,
}

/// The callback, what is asked for, the texts of the dialog, and a key exchange for the password.
type PerformPrompt = (OwnedObjectPath, String, HashMap<String, OwnedValue>, String);

pub struct Prompter {
    seen: Arc<AtomicUsize>,
    _connection: Connection,
}

impl Prompter {
    pub async fn start(bus: &str, person: Person) -> Self {
        let connection = zbus::connection::Builder::address(bus)
            .unwrap()
            .name("org.gnome.keyring.SystemPrompter")
            .unwrap()
            .build()
            .await
            .unwrap();
        let seen = Arc::new(AtomicUsize::new(0));
        let (count, bus) = (seen.clone(), connection.clone());
        let mut messages = MessageStream::from(&connection);
        tokio::spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                if message.message_type() == message::Type::MethodCall {
                    let header = message.header();
                    let is_begin = header.member().is_some_and(|name| name == "BeginPrompting");
                    count.fetch_add(usize::from(is_begin), Ordering::SeqCst);
                    if person == Person::Cancels {
                        cancel(&bus, &message).await;
                    }
                }
            }
        });
        Self {
            seen,
            _connection: connection,
        }
    }

    pub fn prompts_seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    pub async fn wait_for_prompt(&self) {
        until(async || self.prompts_seen() > 0).await;
    }
}

async fn cancel(bus: &Connection, call: &Message) {
    let header = call.header();
    let body = call.body();
    let (callback, answer): (OwnedObjectPath, _) = match header.member().unwrap().as_str() {
        "BeginPrompting" => (body.deserialize().unwrap(), Some("")),
        "PerformPrompt" => {
            let (callback, _kind, _texts, _exchange): PerformPrompt = body.deserialize().unwrap();
            (callback, Some("no"))
        }
        "StopPrompting" => (body.deserialize().unwrap(), None),
        _ => return,
    };
    bus.reply(&header, &()).await.unwrap();
    let sender = header.sender().unwrap().to_owned();
    let bus = bus.clone();
    // The answer to the callback is not waited for: the task that calls this reads it.
    tokio::spawn(async move {
        let interface = Some("org.gnome.keyring.internal.Prompter.Callback");
        let answered = if let Some(answer) = answer {
            let ready = (answer, HashMap::<&str, Value<'_>>::new(), "");
            bus.call_method(Some(sender), callback, interface, "PromptReady", &ready)
                .await
        } else {
            bus.call_method(Some(sender), callback, interface, "PromptDone", &())
                .await
        };
        // The keyring may have ended meanwhile.
        drop(answered);
    });
}
