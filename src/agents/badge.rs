//! Badges: what the tools of an agent's session show, so that the hub knows whose call it is.
//!
//! A badge is minted with each session that is opened at an agent, spares too, before any session of ours has it. An attempt binds it to its
//! session for as long as it has the conversation. Only its digest is kept here: the token itself goes to the agent, for the environment of
//! that one server, and nowhere else.

use crate::domain::{caller::Token, ids::SessionId};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Told from any other secret by its beginning.
const PREFIX: &str = "eyst_";

type Digest = [u8; 32];

/// All badges that are worn now. A cheap handle; shared with the socket's door, which asks with every call.
#[derive(Clone, Debug, Default)]
pub struct Badges(Arc<Mutex<HashMap<Digest, Worn>>>);

/// What a badge says of who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worn {
    /// The agent's process, below which it may be shown.
    pub agent: u32,
    /// Whose attempt has the conversation now.
    pub session: Option<SessionId>,
}

/// The hold on one badge: nobody can show it any more once it is dropped.
#[derive(Debug)]
pub struct Badge {
    digest: Digest,
    badges: Badges,
}

impl Badges {
    /// A badge for a session that is about to be opened at the agent of this process.
    ///
    /// # Errors
    /// Those of the system's source of randomness.
    pub fn mint(&self, agent: u32) -> io::Result<(Badge, Token)> {
        let token = secret()?;
        let digest = digest(&token);
        let worn = Worn {
            agent,
            session: None,
        };
        self.all().insert(digest, worn);
        let badges = self.clone();
        Ok((Badge { digest, badges }, token))
    }

    /// What is known of who shows this; nothing for what was never minted, or is retired.
    #[must_use]
    pub fn worn(&self, token: &Token) -> Option<Worn> {
        self.all().get(&digest(token)).copied()
    }

    /// The session that is worked for by whoever shows this, now.
    #[must_use]
    pub fn session_of(&self, token: &Token) -> Option<SessionId> {
        self.worn(token)?.session
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Digest, Worn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Badge {
    /// It was minted before its agent's process was there: this is the process.
    pub(super) fn is_of(&self, agent: u32) {
        if let Some(worn) = self.badges.all().get_mut(&self.digest) {
            worn.agent = agent;
        }
    }

    /// From now on whoever shows it works for `session`, and nobody else does: what an attempt before has left behind speaks for it no more.
    pub fn bind(&self, session: SessionId) {
        for (digest, worn) in self.badges.all().iter_mut() {
            if *digest == self.digest {
                worn.session = Some(session);
            } else if worn.session == Some(session) {
                worn.session = None;
            }
        }
    }

    /// Takes back [`Self::bind`], unless it was bound to another session since.
    pub fn unbind(&self, session: SessionId) {
        if let Some(worn) = self.badges.all().get_mut(&self.digest)
            && worn.session == Some(session)
        {
            worn.session = None;
        }
    }
}

impl Drop for Badge {
    fn drop(&mut self) {
        self.badges.all().remove(&self.digest);
    }
}

/// A token that nobody can guess, of a form that is known for a secret wherever it turns up.
///
/// # Errors
/// Those of the system's source of randomness.
pub fn secret() -> io::Result<Token> {
    let mut random = [0_u8; 32];
    File::open("/dev/urandom")?.read_exact(&mut random)?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Token(format!("{PREFIX}{hex}")))
}

fn digest(token: &Token) -> Digest {
    Sha256::digest(&token.0).into()
}

#[cfg(test)]
mod tests {
    use super::{Badges, Token};
    use crate::{domain::ids::SessionId, stdx::mint};

    #[test]
    fn a_badge_speaks_for_a_session_only_while_it_is_bound() {
        let badges = Badges::default();
        let (badge, token) = badges.mint(7).expect("randomness");
        assert_eq!(badges.worn(&token).map(|worn| worn.agent), Some(7));
        assert_eq!(badges.session_of(&token), None);
        let (one, other) = (SessionId(mint()), SessionId(mint()));
        badge.bind(one);
        assert_eq!(badges.session_of(&token), Some(one));
        badge.unbind(other);
        assert_eq!(badges.session_of(&token), Some(one));
        badge.unbind(one);
        assert_eq!(badges.session_of(&token), None);
        drop(badge);
        assert_eq!(badges.worn(&token), None);
        assert_eq!(badges.worn(&Token("eyst_made_up".to_owned())), None);
    }

    #[test]
    fn a_later_badge_of_a_session_takes_it_from_the_one_before() {
        let badges = Badges::default();
        let (first, old) = badges.mint(7).expect("randomness");
        let (second, new) = badges.mint(8).expect("randomness");
        assert_ne!(old, new);
        let session = SessionId(mint());
        first.bind(session);
        second.bind(session);
        assert_eq!(badges.session_of(&old), None);
        // The end of the attempt before takes nothing from the one that came after it.
        first.unbind(session);
        assert_eq!(badges.session_of(&new), Some(session));
    }

    #[test]
    fn a_token_is_random_and_is_not_shown() {
        let badges = Badges::default();
        let (badge, token) = badges.mint(7).expect("randomness");
        assert_eq!(token.0.len(), 5 + 64);
        let shown = format!("{badge:?} {badges:?} {token:?}");
        assert!(!shown.contains(&token.0[5..]), "{shown}");
    }
}
