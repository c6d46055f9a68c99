//! A place at an agent for one attempt, given back when it is dropped.

use super::{Message, contact::Contact, key::WarmKey, lineage::Lineage, table::Event};
use crate::{
    agents::{
        acp::{Link, Opened, Opening},
        cli::Cli,
    },
    domain::{fault::Fault, ids::SessionId, run::Continuity},
};
use tokio::sync::{mpsc, oneshot};

/// Dropping it gives the place back: a warm agent stays, with the conversation open for a follow-up; a cold one is closed.
#[derive(Debug)]
pub struct Berth {
    contact: Contact,
    home: Home,
    pool: mpsc::UnboundedSender<Message>,
    lineage: Lineage,
    works_for: Option<SessionId>,
    /// The agent's conversation that this attempt has.
    session: Option<String>,
    /// The same, also when it is given up: until the end of the attempt its tools speak for it.
    bound: Option<String>,
    /// What a spare is to be opened with.
    next: Option<Opening>,
}

#[derive(Clone, Debug)]
enum Home {
    Cold,
    Warm {
        key: WarmKey,
        generation: u64,
        /// It was there before this attempt came.
        reused: bool,
    },
}

impl Berth {
    pub(super) fn by_turn(
        cli: Cli,
        pool: mpsc::UnboundedSender<Message>,
        lineage: Lineage,
    ) -> Self {
        Self::new(Contact::Cli(cli), Home::Cold, pool, lineage)
    }

    pub(super) fn cold(link: Link, pool: mpsc::UnboundedSender<Message>, lineage: Lineage) -> Self {
        Self::new(Contact::Link(link), Home::Cold, pool, lineage)
    }

    pub(super) fn warm(
        link: Link,
        (key, generation): (WarmKey, u64),
        reused: bool,
        pool: mpsc::UnboundedSender<Message>,
        lineage: Lineage,
    ) -> Self {
        let home = Home::Warm {
            key,
            generation,
            reused,
        };
        Self::new(Contact::Link(link), home, pool, lineage)
    }

    fn new(
        contact: Contact,
        home: Home,
        pool: mpsc::UnboundedSender<Message>,
        lineage: Lineage,
    ) -> Self {
        Self {
            contact,
            home,
            pool,
            lineage,
            works_for: None,
            session: None,
            bound: None,
            next: None,
        }
    }

    /// The agent.
    #[must_use]
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// It was there before this attempt came.
    #[must_use]
    pub fn is_reused(&self) -> bool {
        matches!(self.home, Home::Warm { reused: true, .. })
    }

    /// Its process was started for this attempt, and ends with it.
    #[must_use]
    pub fn is_cold(&self) -> bool {
        matches!(self.home, Home::Cold)
    }

    /// From now on what runs below this agent has the rights of `session`.
    pub fn works_for(&mut self, session: SessionId) {
        match &self.contact {
            Contact::Link(link) => self.lineage.begins(link.process().pid(), session),
            Contact::Cli(cli) => cli.works_for(session),
        }
        self.works_for = Some(session);
    }

    /// A conversation with `opening`: one that was opened ahead, else a new one.
    ///
    /// # Errors
    /// Those of [`Link::open`].
    pub async fn open(&mut self, opening: &Opening) -> Result<Opened, Fault> {
        let link = match &self.contact {
            Contact::Link(link) => link.clone(),
            Contact::Cli(cli) => return Ok(cli.open(opening)),
        };
        let wanted = opening.clone();
        let spare = self.ask(|key, generation, reply| Message::TakeSpare {
            key,
            generation,
            opening: wanted,
            reply,
        });
        let opened = match spare.await.flatten() {
            Some(spare) => spare,
            None => link.open(opening.clone()).await?,
        };
        self.has(&opened.session);
        Ok(opened)
    }

    /// Goes on with the agent's conversation `session`: still open, else resumed or loaded.
    ///
    /// # Errors
    /// Those of [`Link::reopen`]; `not_found` when the agent can do neither.
    pub async fn reopen(
        &mut self,
        session: &str,
        opening: &Opening,
    ) -> Result<(Continuity, Opened), Fault> {
        let link = match &self.contact {
            Contact::Link(link) => link.clone(),
            Contact::Cli(cli) => return cli.reopen(session, opening),
        };
        let name = session.to_owned();
        let open = self.ask(|key, generation, reply| Message::TakeOpen {
            key,
            generation,
            session: name,
            reply,
        });
        let reopened = if open.await == Some(true) {
            let opened = Opened {
                session: session.to_owned(),
                route: link.persona_route(opening),
                warnings: Vec::new(),
                tools: None,
            };
            (Continuity::Live, opened)
        } else {
            link.reopen(session, opening.clone()).await?
        };
        self.has(session);
        Ok(reopened)
    }

    /// The conversation is this attempt's, and what its tools say is said for the session.
    fn has(&mut self, conversation: &str) {
        if let (Some(session), Contact::Link(link)) = (self.works_for, &self.contact) {
            link.bind(conversation, session);
        }
        self.session = Some(conversation.to_owned());
        self.bound.clone_from(&self.session);
    }

    /// Gives the place back and has a spare opened with `opening`, for the next one like it.
    pub fn settle(mut self, opening: Opening) {
        self.next = Some(opening);
    }

    /// Gives the place back without the conversation, which is of no further use.
    pub fn forsake(mut self) {
        if let (Some(session), Contact::Link(link)) = (self.session.take(), &self.contact) {
            let link = link.clone();
            drop(self.pool.send(Message::Forsaken { link, session }));
        }
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(WarmKey, u64, oneshot::Sender<T>) -> Message,
    ) -> Option<T> {
        let Home::Warm {
            key, generation, ..
        } = &self.home
        else {
            return None;
        };
        let (reply, answer) = oneshot::channel();
        self.pool
            .send(message(key.clone(), *generation, reply))
            .ok()?;
        answer.await.ok()
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        let link = match &self.contact {
            Contact::Link(link) => link.clone(),
            // Its process, and what it was given for the turn, are gone with the turn.
            Contact::Cli(_) => return,
        };
        if let Some(session) = self.works_for {
            self.lineage.ends(link.process().pid(), session);
            if let Some(conversation) = &self.bound {
                link.unbind(conversation, session);
            }
        }
        let message = match self.home.clone() {
            Home::Cold => Message::Retired { link },
            Home::Warm {
                key, generation, ..
            } => Message::Event(Event::Returned {
                key,
                generation,
                session: self.session.take(),
                opening: self.next.take(),
            }),
        };
        // A pool that is gone has ended its agents; a cold one is killed with its last handle.
        drop(self.pool.send(message));
    }
}
