//! What parsers are fed with: texts that are right, changed at random, again and again. The same seed gives the same texts, so that whatever
//! was found can be found again.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

/// Texts of one run of the tests; `EYAS_FUZZ` says another number, `just fuzz` a million.
const RUNS: u64 = 20_000;
/// However busy the machine is, no text takes so long.
const TOO_LONG: Duration = Duration::from_secs(10);
/// Texts do not grow beyond this but by [`Source::blown_up`].
const LARGEST: usize = 4 * 1024;

/// Chance that comes again.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Texts that are right, and words that mean something in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) seeds: &'static [&'static str],
    pub(crate) words: &'static [&'static str],
}

impl Source {
    /// One of the seeds, changed up to eight times; one in eight is as it was.
    pub(crate) fn text(&self, chance: &mut Chance) -> Vec<u8> {
        let mut text = chance.pick(self.seeds).as_bytes().to_vec();
        for _ in 0..chance.below(9) {
            self.change(&mut text, chance);
            text.truncate(LARGEST);
        }
        if chance.one_in(2_000) {
            self.blown_up(&mut text, chance);
        }
        text
    }

    fn change(&self, text: &mut Vec<u8>, chance: &mut Chance) {
        let at = chance.below(text.len() + 1);
        match chance.below(9) {
            0 => {
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= 1 << chance.below(8);
                }
            }
            1 => text.truncate(at),
            2 => drop(text.drain(..at)),
            3 => {
                let end = (at + chance.below(32)).min(text.len());
                drop(text.drain(at..end));
            }
            4 => {
                let end = (at + chance.below(64)).min(text.len());
                let part = text[at..end].to_vec();
                let to = chance.below(text.len() + 1);
                text.splice(to..to, part);
            }
            5 => {
                let other = chance.pick(self.seeds).as_bytes();
                text.splice(at..at, other.iter().copied());
            }
            6 => {
                let byte = u8::try_from(chance.below(256)).unwrap_or(0);
                text.insert(at, byte);
            }
            _ => {
                let word = chance.pick(self.words).as_bytes();
                text.splice(at..at, word.iter().copied());
            }
        }
    }

    /// A word again and again: what is nested too deep, or too long.
    fn blown_up(&self, text: &mut Vec<u8>, chance: &mut Chance) {
        let word = chance.pick(self.words).as_bytes();
        let at = chance.below(text.len() + 1);
        let many = 300_000 / word.len().max(1);
        text.splice(at..at, word.repeat(many));
    }
}

/// Feeds `look` with as many texts as are asked for. It panics at what must not be; so does this where one takes too long.
#[allow(
    clippy::disallowed_methods,
    reason = "how many there are is for whoever runs the tests, not for the program"
)]
pub(crate) fn feed(source: &Source, mut look: impl FnMut(&[u8], &mut Chance)) {
    let set = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let runs = set("EYAS_FUZZ").unwrap_or(RUNS);
    let first = set("EYAS_SEED").unwrap_or(0);
    let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
    for seed in first..first.saturating_add(runs) {
        let mut chance = Chance(seed);
        let text = source.text(&mut chance);
        let before = Instant::now();
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            look(&text, &mut chance);
        }));
        assert!(
            looked.is_ok(),
            "EYAS_SEED={seed} EYAS_FUZZ=1: {}",
            String::from_utf8_lossy(&text[..text.len().min(2_000)])
        );
        let took = before.elapsed();
        assert!(took < TOO_LONG, "EYAS_SEED={seed}: {took:?}");
        slowest = slowest.max(took);
    }
    let rate = runs.saturating_mul(1_000)
        / u64::try_from(begun.elapsed().as_millis())
            .unwrap_or(1)
            .max(1);
    drop(writeln!(
        std::io::stderr(),
        "{runs} texts, {rate} a second, the slowest took {slowest:?}"
    ));
}
