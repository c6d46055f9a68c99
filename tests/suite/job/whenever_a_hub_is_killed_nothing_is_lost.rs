//! SIGKILL at random moments and at each commit that matters, again and again, on one home. What each turn does leaves marks outside of the database, so that two at once, or
//! one that nobody started, would be seen.

use super::{
    keep::Keep,
    kit::{Face, Job, LONG, alive},
    oracle::Seen,
};
use crate::hub::nest::{kill, until};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// `EYAS_KILLS` says another number, `EYAS_SEED` where chance begins.
const KILLS: u64 = 12;
/// After the death of its hub a process has so long.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// A hub is killed within so many milliseconds.
const SPAN_MS: u64 = 500;

fn set(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// SplitMix64: the same seed, the same numbers.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What a client knows: what it asked, and what it was told.
struct Ledger {
    job: Job,
    keep: Keep,
    chance: Chance,
    /// How often the turn of one attempt may begin: a warm agent that dies silent under another's turn is replaced within the attempt.
    tries: usize,
    /// Every request by its key.
    asked: BTreeMap<String, Value>,
    /// Every acknowledged run by its key, in order.
    known: Vec<(String, String)>,
    cancelled: BTreeSet<String>,
    before: Seen,
}

impl Ledger {
    fn new(seed: u64) -> Self {
        let keep = Keep::new();
        Self {
            job: keep.job(),
            keep,
            chance: Chance(seed),
            tries: 1,
            asked: BTreeMap::new(),
            known: Vec::new(),
            cancelled: BTreeSet::new(),
            before: Seen::default(),
        }
    }

    /// A turn that marks that it began, and that finds out whether it is alone in what it must be alone in.
    fn request(&mut self, concurrent: bool, previous: Option<String>) -> Value {
        let key = format!("k{}", self.asked.len());
        let root = self.job.nest.root().display().to_string();
        let (mut alone, ms) = ("tree", self.chance.below(60));
        if concurrent {
            alone = &key;
        }
        let script = format!(
            "!run flock -n {root}/{alone}.lock -c 'echo {key} >> {root}/turns; sleep 0.{ms:03}' || echo {key} >> {root}/overlaps\n!say done"
        );
        let mut asked = json!({"prompt": script, "idempotency_key": key});
        if concurrent {
            asked["concurrent"] = json!(true);
        }
        if let Some(previous) = previous {
            asked["previous"] = previous.into();
        }
        self.asked.insert(key, asked.clone());
        asked
    }

    fn some_known(&mut self) -> Option<(String, String)> {
        let many = u64::try_from(self.known.len()).unwrap();
        // One of the last, as those may still be under way.
        let back = self.chance.below(many.clamp(1, 12)) + 1;
        let at = many.checked_sub(back)?;
        self.known.get(usize::try_from(at).unwrap()).cloned()
    }

    /// Asks for much without waiting; what each call was, by its id.
    fn ask(&mut self, face: &mut Face) -> BTreeMap<i64, String> {
        let previous = self.some_known().map(|(_, run)| run);
        let mut delegations = vec![
            self.request(false, None),
            self.request(true, None),
            self.request(false, previous),
        ];
        if let Some((key, _)) = self.some_known() {
            delegations.push(self.asked[&key].clone());
        }
        // The same twice at once is one, too.
        delegations.push(delegations[0].clone());
        let mut calls = BTreeMap::new();
        for asked in delegations {
            let key = asked["idempotency_key"].as_str().unwrap().to_owned();
            calls.insert(face.send("run.delegate", &asked), key);
        }
        if self.chance.below(3) == 0
            && let Some((_, run)) = self.some_known()
        {
            face.send("run.cancel", &json!({"id": run}));
            self.cancelled.insert(run);
        }
        calls
    }

    /// Takes down what was acknowledged.
    fn note(&mut self, calls: &BTreeMap<i64, String>, words: &[Value]) {
        for word in words {
            let Some(key) = word["id"].as_i64().and_then(|id| calls.get(&id)) else {
                continue;
            };
            let Some(run) = word["result"]["id"].as_str() else {
                // One that was told to end takes nothing more.
                let kind = &word["error"]["data"]["kind"];
                assert!(kind == "hub_lost" || kind == "busy", "{word}");
                continue;
            };
            match self.known.iter().find(|(known, _)| known == key) {
                Some((_, known)) => assert_eq!(known, run, "{key} became two runs"),
                None => self.known.push((key.clone(), run.to_owned())),
            }
        }
    }

    /// Ends the face, the hub and whatever hub is being started.
    fn strike(&mut self, face: Face) -> Vec<Value> {
        let hub = self.job.nest.endpoint().map(|endpoint| endpoint.pid);
        let ours = self.job.processes();
        // The face first, lest it start another one.
        kill(face.pid());
        if let Some(hub) = hub.filter(|hub| ours.contains(hub)) {
            kill(hub);
        }
        let words = face.last_words();
        self.nothing_is_left();
        words
    }

    fn nothing_is_left(&self) {
        let mut since = Instant::now();
        loop {
            let left = self.job.processes();
            if left.is_empty() {
                return;
            }
            let lines = left.iter().map(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                String::from_utf8_lossy(&line).replace('\0', " ")
            });
            let lines: Vec<_> = lines.collect();
            for (pid, _) in left
                .iter()
                .zip(&lines)
                .filter(|(_, line)| line.contains(" hub "))
            {
                kill(*pid);
                since = Instant::now();
            }
            assert!(since.elapsed() < AFTERWARDS, "{lines:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn look(&mut self) {
        let Some(mut seen) = self.keep.look(&self.job) else {
            assert!(self.known.is_empty(), "nothing is there");
            return;
        };
        seen.is_sound();
        seen.goes_on_from(&self.before);
        for (key, run) in &self.known {
            assert!(
                seen.runs.contains_key(&run.parse().unwrap()),
                "{key}: {run}"
            );
            assert_eq!(seen.keys[key].to_string(), *run, "{key}");
        }
        self.before = seen;
    }

    fn cycle(&mut self) {
        let mut face = self.job.rpc();
        if self.chance.below(3) > 0 {
            // Else it dies while it starts.
            face.result("hub.info", &json!({}));
        }
        let calls = self.ask(&mut face);
        thread::sleep(Duration::from_millis(self.chance.below(SPAN_MS)));
        let words = self.strike(face);
        self.note(&calls, &words);
        self.look();
    }

    /// A last hub works on what is left.
    fn settle(&mut self, patience: Duration) {
        let mut face = self.job.rpc();
        let begun = Instant::now();
        for state in ["queued", "running", "queued", "running"] {
            loop {
                let open = face.result("run.list", &json!({"state": state, "limit": 1}));
                if open["items"].as_array().unwrap().is_empty() {
                    break;
                }
                assert!(begun.elapsed() < patience, "{open}");
                thread::sleep(Duration::from_millis(20));
            }
        }
        for (key, run) in &self.known {
            let again = face.result("run.delegate", &self.asked[key]);
            assert_eq!(again["id"], **run, "{key}: {again}");
        }
        self.strike(face);
        self.look();
        self.before.is_over();
        self.ends_fit();
        self.turns_fit();
    }

    /// Each run ended in a way that there was a reason for.
    fn ends_fit(&self) {
        for run in self.before.runs.values() {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let fits = match run.state.as_str() {
                "succeeded" => text(&run.conclusion).contains("done"),
                "cancelled" => self.cancelled.contains(&run.id.to_string()),
                "failed" => ["hub_lost", "agent_died"]
                    .iter()
                    .any(|kind| text(&run.error).contains(kind)),
                _ => false,
            };
            assert!(fits, "{run:?}");
        }
        let over = self
            .before
            .runs
            .values()
            .any(|run| run.state == "succeeded");
        assert!(over, "nothing has ever worked");
    }

    /// Nothing worked beside another, nothing unless it was claimed, and nothing succeeded without.
    fn turns_fit(&self) {
        let root = self.job.nest.root();
        let overlaps = fs::read_to_string(root.join("overlaps")).unwrap_or_default();
        assert_eq!(overlaps, "", "two turns at once");
        let turns = fs::read_to_string(root.join("turns")).unwrap_or_default();
        for (key, run) in &self.before.keys {
            let begun = turns.lines().filter(|line| line == key).count();
            let started = self.before.started(*run) * self.tries;
            let run = &self.before.runs[run];
            assert!(begun <= started, "{begun} turns: {run:?}");
            assert!(begun > 0 || run.state != "succeeded", "no turn: {run:?}");
        }
    }
}

/// Commits by what they hold, and the how many-th of it in a hub's life.
const COMMITS: [&str; 12] = [
    "Register 1",
    "Enter 1",
    "Recover 1",
    "Accept 1",
    "Accept 2",
    "Claim 1",
    "Append 1",
    "Cancel 1",
    "End 1",
    "End 2",
    "GiveBack 1",
    "Again 1",
];

impl Ledger {
    /// Lets a hub live until it comes to the commit at which it kills itself.
    fn cycle_until(&mut self, death: &str) {
        let before = self.job.nest.endpoint().map(|endpoint| endpoint.pid);
        let mut face = self.job.rpc_with(&[("EYAS_TEST_DEATH", death)]);
        // What `Append` and `GiveBack` need is a turn that has said something and goes on.
        let mut long = self.request(true, None);
        let prompt = long["prompt"].as_str().unwrap();
        let key = long["idempotency_key"].as_str().unwrap().to_owned();
        let before_it = if death.contains("Again") {
            // The agent dies, and what it worked on is tried again; one that says nothing before would only be replaced.
            let root = self.job.nest.root().display();
            format!("!say well\n!sleep 100\n!first {root}/{key}.died die 1")
        } else {
            "!say well\n!sleep 1500".to_owned()
        };
        long["prompt"] = format!("{before_it}\n{prompt}").into();
        self.asked.insert(key.clone(), long.clone());
        let first = face.send("run.delegate", &long);
        let mut calls = BTreeMap::from([(first, key)]);
        let mut words = Vec::new();
        if ["Enter", "Recover"]
            .iter()
            .any(|early| death.contains(early))
        {
            calls.extend(self.ask(&mut face));
            // It never listens, and the face says so.
            words.push(face.answer(first));
            assert!(words[0]["error"].is_object(), "{words:?}");
        } else {
            let later = ["Accept 2", "Cancel", "GiveBack"];
            if later.iter().any(|later| death.contains(later)) {
                // Before anything else is asked: a commit may hold what several callers asked.
                words.push(face.answer(first));
            }
            calls.extend(self.ask(&mut face));
            if death.contains("Cancel") {
                let run = words[0]["result"]["id"].as_str().unwrap().to_owned();
                face.send("run.cancel", &json!({"id": run}));
                self.cancelled.insert(run);
            } else if death.contains("GiveBack") {
                face.send("hub.shutdown", &json!({"now": true}));
            }
            let mut hubs = BTreeSet::new();
            until(death, || {
                let hub = self.job.nest.endpoint().map(|endpoint| endpoint.pid);
                hubs.extend(hub.filter(|hub| Some(*hub) != before));
                hubs.iter().any(|hub| !alive(*hub)).then_some(())
            });
        }
        words.extend(self.strike(face));
        self.note(&calls, &words);
        self.look();
    }
}

#[test]
fn at_each_commit() {
    let mut ledger = Ledger::new(1);
    // At `Again` an agent dies, and with it the turns of others.
    ledger.tries = 2;
    for commit in COMMITS {
        for moment in ["before", "after"] {
            ledger.cycle_until(&format!("{moment} {commit}"));
        }
    }
    ledger.settle(LONG);
}

#[test]
fn at_random_moments() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = set("EYAS_SEED").unwrap_or(u64::from(clock.subsec_nanos()));
    let kills = set("EYAS_KILLS").unwrap_or(KILLS);
    println!("EYAS_SEED={seed} EYAS_KILLS={kills}");
    let mut ledger = Ledger::new(seed);
    for kill in 1..=kills {
        ledger.cycle();
        if kill % 50 == 0 {
            println!("{kill} kills, {} runs", ledger.known.len());
        }
    }
    ledger.settle(LONG + Duration::from_millis(200) * u32::try_from(kills).unwrap());
}
