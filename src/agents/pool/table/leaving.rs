//! Agents whose program was replaced: they end their turns, and go with the last of them.

use super::{Effect, Phase, Table, WarmKey};

/// An agent that nobody new comes to.
#[derive(Debug)]
pub(super) struct Leaving<L> {
    pub(super) key: WarmKey,
    pub(super) generation: u64,
    pub(super) link: L,
    /// Turns under way; never none.
    pub(super) busy: u32,
}

impl<L: Clone> Table<L> {
    /// Another program lies where the agent of this key was started from: who comes now has that one. What is being started is left alone,
    /// and what stood against the old one is forgotten.
    pub(super) fn outdate(&mut self, key: &WarmKey) -> Vec<Effect<L>> {
        self.deaths.forget(|one| one == key);
        let is_ready =
            |one: &WarmKey, phase: &Phase<L>| one == key && matches!(phase, Phase::Ready(_));
        let old = self
            .entries
            .extract_if(.., |one, entry| is_ready(one, &entry.phase))
            .next();
        let Some((key, entry)) = old else {
            return Vec::new();
        };
        match entry.phase {
            Phase::Ready(ready) if ready.busy > 0 => {
                self.leaving.push(Leaving {
                    key,
                    generation: entry.generation,
                    link: ready.link,
                    busy: ready.busy,
                });
                Vec::new()
            }
            Phase::Ready(ready) => vec![Effect::Close { link: ready.link }],
            Phase::Starting { .. } => Vec::new(),
        }
    }

    /// A turn of one that is leaving is over.
    pub(super) fn returned_late(&mut self, key: &WarmKey, generation: u64) -> Vec<Effect<L>> {
        let is_it = |one: &Leaving<L>| one.generation == generation && one.key == *key;
        let Some(at) = self.leaving.iter().position(is_it) else {
            return Vec::new();
        };
        let one = &mut self.leaving[at];
        one.busy = one.busy.saturating_sub(1);
        if one.busy > 0 {
            return Vec::new();
        }
        vec![Effect::Close {
            link: self.leaving.swap_remove(at).link,
        }]
    }

    /// Those of these keys end now.
    pub(super) fn end_leaving(&mut self, whose: impl Fn(&WarmKey) -> bool) -> Vec<Effect<L>> {
        let gone = self.leaving.extract_if(.., |one| whose(&one.key));
        gone.map(|one| Effect::Close { link: one.link }).collect()
    }
}
