//! The loop that owns what is under way.

use super::{
    message::{self, Entry, Line},
    output::Output,
    slots::{Slots, text},
};
use crate::{
    domain::fault::{ErrorKind, Fault},
    hub::join::{Connection, Incoming, LinkReceiver, LinkSender},
    stdx::lines,
};
use tokio::{
    io::{AsyncRead, BufReader},
    sync::mpsc,
    task::JoinHandle,
};

/// Longest line that is taken.
const MAX_LINE: usize = 80 * 1024 * 1024;

/// Lines read ahead of the hub.
const AHEAD: usize = 64;

/// What happened.
enum Event {
    /// A line was read.
    Line(lines::Line),
    /// Reading failed.
    Broken(std::io::Error),
    /// The hub said something, or is gone; the number tells a former hub's from the present one's.
    Hub(u64, Incoming),
}

struct Relay<'a> {
    connection: &'a Connection,
    output: Output,
    slots: Slots,
    events: mpsc::Sender<Event>,
    hub: Option<Hub>,
    /// How many hubs there were.
    hubs: u64,
}

/// The present hub.
struct Hub {
    sender: LinkSender,
    listening: JoinHandle<()>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

pub(super) async fn run<I, O>(connection: &Connection, input: I, output: O) -> Result<(), Fault>
where
    I: AsyncRead + Send + Unpin + 'static,
    O: tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let (events, mut happened) = mpsc::channel(AHEAD);
    let reading = tokio::spawn(read_lines(input, events.clone()));
    let mut relay = Relay {
        connection,
        output: Output::new(output),
        slots: Slots::default(),
        events,
        hub: None,
        hubs: 0,
    };
    let done = relay.run(&mut happened).await;
    reading.abort();
    drop(relay.hub.take());
    relay.output.finish().await;
    done
}

async fn read_lines(input: impl AsyncRead + Unpin, events: mpsc::Sender<Event>) {
    let mut input = BufReader::with_capacity(256 * 1024, input);
    loop {
        let event = match lines::next(&mut input, MAX_LINE).await {
            Ok(line) => Event::Line(line),
            Err(error) => Event::Broken(error),
        };
        let last = matches!(event, Event::Line(lines::Line::End) | Event::Broken(_));
        if events.send(event).await.is_err() || last {
            return;
        }
    }
}

async fn listen(number: u64, mut receiver: LinkReceiver, events: mpsc::Sender<Event>) {
    loop {
        let incoming = receiver.next().await;
        let last = matches!(incoming, Incoming::Gone);
        if events.send(Event::Hub(number, incoming)).await.is_err() || last {
            return;
        }
    }
}

impl Relay<'_> {
    async fn run(&mut self, happened: &mut mpsc::Receiver<Event>) -> Result<(), Fault> {
        let mut ended = false;
        while !(ended && self.slots.is_empty()) {
            let event = tokio::select! {
                event = happened.recv() => event,
                () = self.output.closed() => return Ok(()),
            };
            match event {
                Some(Event::Line(lines::Line::Whole(line))) => self.line(&line).await,
                Some(Event::Line(lines::Line::TooLong { len })) => {
                    self.say(text(message::too_long(len, MAX_LINE))).await;
                }
                Some(Event::Line(lines::Line::End)) | None => ended = true,
                Some(Event::Broken(error)) => {
                    return Err(Fault::internal(format!("failed to read: {error}")));
                }
                Some(Event::Hub(number, incoming)) if number == self.hubs => {
                    self.heard(incoming).await;
                }
                Some(Event::Hub(..)) => {}
            }
        }
        Ok(())
    }

    async fn line(&mut self, line: &[u8]) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match message::read(line) {
            Line::One(Entry::Wrong(answer)) => self.say(text(answer)).await,
            Line::One(entry) => self.call(entry, None).await,
            Line::Batch(entries) => self.batch(entries).await,
        }
    }

    async fn batch(&mut self, entries: Vec<Entry<'_>>) {
        let mut calls = Vec::new();
        let mut answers = Vec::new();
        for entry in entries {
            match entry {
                Entry::Wrong(answer) => answers.push(answer),
                notification @ Entry::Notification { .. } => self.call(notification, None).await,
                call @ Entry::Call { .. } => calls.push(call),
            }
        }
        if calls.is_empty() {
            if !answers.is_empty()
                && let Ok(line) = serde_json::to_string(&answers)
            {
                self.say(line).await;
            }
            return;
        }
        let batch = self.slots.batch(calls.len(), answers);
        for call in calls {
            self.call(call, Some(batch)).await;
        }
    }

    async fn call(&mut self, entry: Entry<'_>, batch: Option<u64>) {
        let (id, method, params) = match entry {
            Entry::Call { id, method, params } => (Some(id), method, params),
            // A subscription that nobody knows the id of could not be ended.
            Entry::Notification { method, .. } if method == "events.watch" => return,
            Entry::Notification { method, params } => (None, method, params),
            Entry::Wrong(_) => return,
        };
        let number = self.slots.open(id, &method, batch);
        let request = message::outgoing(number, &method, params);
        if let Err(fault) = self.send(request).await
            && let Some(line) = self.slots.failed(number, &fault)
        {
            self.say(line).await;
        }
    }

    async fn send(&mut self, request: String) -> Result<(), Fault> {
        let hub = if let Some(hub) = self.hub.as_mut() {
            hub
        } else {
            let link = self.connection.link().await?;
            self.hubs += 1;
            let listening = listen(self.hubs, link.receiver, self.events.clone());
            self.hub.insert(Hub {
                sender: link.sender,
                listening: tokio::spawn(listening),
            })
        };
        hub.sender.send(request).await
    }

    async fn heard(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Message(said) => {
                if let Some(line) = self.slots.heard(said) {
                    self.say(line).await;
                }
            }
            Incoming::Gone => {
                self.hub = None;
                let fault = Fault::new(
                    ErrorKind::HubLost,
                    "the hub went away before it answered; what it was asked may have been done",
                )
                .hint("ask for the run's state, or try again with the same idempotency key");
                for line in self.slots.all_failed(&fault) {
                    self.say(line).await;
                }
            }
        }
    }

    /// When nobody reads any more the loop ends by itself.
    async fn say(&self, line: String) {
        if !self.output.line(line).await {
            tracing::debug!("a line nobody reads");
        }
    }
}
