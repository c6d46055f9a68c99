//! A place at an agent for one attempt, given back when it is dropped.

use super::{
    Message,
    key::{Digest, WarmKey},
    lineage::Lineage,
    table::Event,
};
use crate::{
    agents::acp::{Link, Opened, Opening},
    domain::{fault::Fault, ids::SessionId, run::Continuity},
};
use tokio::sync::{mpsc, oneshot};

/// Dropping it gives the place back: a warm agent stays, a cold one is killed.
#[derive(Debug)]
pub struct Berth {
    link: Link,
    reused: bool,
    home: Home,
    lineage: Lineage,
    works_for: Option<SessionId>,
}

#[derive(Debug)]
enum Home {
    Cold,
    Warm {
        key: WarmKey,
        generation: u64,
        pool: mpsc::UnboundedSender<Message>,
        /// Given back already, with its session.
        settled: bool,
    },
}

impl Berth {
    pub(super) fn cold(link: Link, lineage: Lineage) -> Self {
        Self {
            link,
            reused: false,
            home: Home::Cold,
            lineage,
            works_for: None,
        }
    }

    pub(super) fn warm(
        given: super::Given,
        pool: mpsc::UnboundedSender<Message>,
        lineage: Lineage,
    ) -> Self {
        let super::Given {
            key,
            generation,
            link,
            reused,
        } = given;
        let home = Home::Warm {
            key,
            generation,
            pool,
            settled: false,
        };
        Self {
            link,
            reused,
            home,
            lineage,
            works_for: None,
        }
    }

    /// The agent.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// It was there before this attempt came.
    #[must_use]
    pub fn is_reused(&self) -> bool {
        self.reused
    }

    /// From now on what runs below this agent has the rights of `session`.
    pub fn works_for(&mut self, session: SessionId) {
        self.lineage.begins(self.link.process().pid(), session);
        self.works_for = Some(session);
    }

    /// A conversation with `opening`: one that was opened ahead, else a new one.
    ///
    /// # Errors
    /// Those of [`Link::open`].
    pub async fn open(&self, opening: &Opening) -> Result<Opened, Fault> {
        if let Some(spare) = self
            .ask(|key, generation, reply| Message::TakeSpare {
                key,
                generation,
                opening: digest(opening),
                reply,
            })
            .await
            .flatten()
        {
            return Ok(spare);
        }
        self.link.open(opening.clone()).await
    }

    /// Goes on with the agent's conversation `session`: still open, else resumed or loaded.
    ///
    /// # Errors
    /// Those of [`Link::reopen`]; `not_found` when the agent can do neither.
    pub async fn reopen(
        &self,
        session: &str,
        opening: &Opening,
    ) -> Result<(Continuity, Opened), Fault> {
        let name = session.to_owned();
        if self
            .ask(|key, generation, reply| Message::TakeOpen {
                key,
                generation,
                session: name,
                reply,
            })
            .await
            == Some(true)
        {
            let opened = Opened {
                session: session.to_owned(),
                route: None,
                warnings: Vec::new(),
            };
            return Ok((Continuity::Live, opened));
        }
        self.link.reopen(session, opening.clone()).await
    }

    /// Gives the place back with the conversation still open, and has a spare opened for the next one like it. A cold agent is closed.
    pub async fn settle(mut self, session: String, opening: Opening) {
        match &mut self.home {
            Home::Cold => self.link.close().await,
            Home::Warm {
                key,
                generation,
                pool,
                settled,
            } => {
                *settled = true;
                drop(pool.send(Message::Returned {
                    key: key.clone(),
                    generation: *generation,
                    session: Some(session),
                    opening: Some(opening),
                }));
            }
        }
    }

    async fn ask<T>(
        &self,
        message: impl FnOnce(WarmKey, u64, oneshot::Sender<T>) -> Message,
    ) -> Option<T> {
        let Home::Warm {
            key,
            generation,
            pool,
            ..
        } = &self.home
        else {
            return None;
        };
        let (reply, answer) = oneshot::channel();
        pool.send(message(key.clone(), *generation, reply)).ok()?;
        answer.await.ok()
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        if let Some(session) = self.works_for {
            self.lineage.ends(self.link.process().pid(), session);
        }
        match &mut self.home {
            Home::Cold => self.link.process().kill(),
            Home::Warm { settled: true, .. } => {}
            Home::Warm {
                key,
                generation,
                pool,
                ..
            } => {
                let event = Event::Returned {
                    key: key.clone(),
                    generation: *generation,
                    session: None,
                    opening: None,
                };
                drop(pool.send(Message::Event(event)));
            }
        }
    }
}

/// What makes two conversations alike before their first prompt.
pub(super) fn digest(opening: &Opening) -> Digest {
    Digest::of([
        opening.cwd.to_string_lossy().as_ref(),
        opening.persona.as_deref().unwrap_or_default(),
        opening.model.as_deref().unwrap_or_default(),
    ])
}
