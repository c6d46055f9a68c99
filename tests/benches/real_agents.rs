//! Eyas' own share beside agents that people use, on a model that is faked on loopback: the programs that `tests/clients/install` installs.

use crate::{
    acpx::Acpx,
    disk::Disk,
    home::Home,
    raw::Raw,
    rpc::Rpc,
    shell,
    table::{against, ms, p50, ratio, row, us},
    warm_agents::{SHELL, WARM, timed, until_spare},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const ROUNDS: usize = 12;
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");

/// How they are started, and the model that they talk to for as long as this lives.
struct Real {
    models: Child,
    env: BTreeMap<String, String>,
    agents: BTreeMap<String, Vec<String>>,
}

/// A module of the clients' suite, by hand.
fn python(words: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.arg("-Bm").args(words).current_dir(CLIENTS);
    command.stdout(Stdio::piped());
    command
}

impl Real {
    /// `None` where they are not installed.
    fn start(home: &Path) -> Option<Self> {
        let mut models = python(&["fakes"]).spawn().ok()?;
        let mut url = String::new();
        let said = models.stdout.take().map(BufReader::new);
        let read = said?.read_line(&mut url);
        let told = python(&["kit", &home.join("user").to_string_lossy(), url.trim()])
            .stderr(Stdio::null())
            .output();
        let told = told
            .ok()
            .filter(|told| read.is_ok() && told.status.success());
        let told: Option<Value> = told.and_then(|told| serde_json::from_slice(&told.stdout).ok());
        let mut real = Self {
            models,
            env: BTreeMap::new(),
            agents: BTreeMap::new(),
        };
        let told = told?;
        real.env = serde_json::from_value(told["env"].clone()).ok()?;
        real.agents = serde_json::from_value(told["agents"].clone()).ok()?;
        Some(real)
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        // A bench ends what it started.
        drop(self.models.kill());
        drop(self.models.wait());
    }
}

pub(crate) fn bench() {
    let home = Home::new();
    let Some(mut real) = Real::start(home.path()) else {
        row("real agents", "not installed", "tests/clients/install");
        return;
    };
    let own = std::env::current_exe().expect("this binary");
    let echo = [
        own.to_string_lossy().into_owned(),
        "--instant-agent".to_owned(),
    ];
    real.agents.insert("instant".to_owned(), echo.to_vec());
    let mut disk = Disk::new(home.path());
    let eyas = || eyas_in(&home, &real.env);
    let mut rpc = Rpc::start(eyas().arg("rpc").stderr(Stdio::null()));
    // By name, or all of them.
    let named = std::env::args().nth(2);
    let named = named.filter(|name| real.agents.contains_key(name));
    let wanted = |agent: &str| named.as_ref().is_none_or(|name| name == agent);
    for (agent, command) in real.agents.iter().filter(|(agent, _)| wanted(agent)) {
        let project = home.project(agent);
        let taken = Taken::take(
            &mut disk,
            (&mut rpc, &eyas),
            agent,
            |text| {
                let mut raw = Raw::start_in(command, &project, &real.env);
                let session = raw.session(&project);
                raw.prompt(&session, text);
                (raw, session)
            },
            &project,
        );
        let warm = taken.show(agent);
        if let Some(acpx) = Acpx::start(command, &project, &real.env) {
            acpx.prompt("MARK-begin");
            let asked = (0..ROUNDS).map(|_| timed(|| acpx.prompt("MARK-acpx")));
            let seen = p50(&mut asked.collect::<Vec<_>>());
            let what = format!("{agent}: acpx prompt, warm p50");
            let seen = format!(
                "{} = {:.1} x eyas delegate --json",
                ms(seen),
                ratio(seen, warm)
            );
            row(&what, seen, "");
        }
    }
    drop(rpc);
    home.stop();
}

#[derive(Default)]
struct Taken {
    commits: Vec<Duration>,
    raw_cold: Vec<Duration>,
    cold: Vec<Duration>,
    raw_warm: Vec<Duration>,
    /// The first prompt of a session that is open already.
    raw_first: Vec<Duration>,
    same: Vec<Duration>,
    /// The same from a shell.
    shell: Vec<Duration>,
    spare: Vec<Duration>,
    /// What of a warm delegation was not the agent's turn.
    own: Vec<Duration>,
}

impl Taken {
    /// One of each after the other, so that a slow moment of the machine is everybody's.
    fn take(
        disk: &mut Disk,
        (rpc, eyas): (&mut Rpc, &dyn Fn() -> Command),
        agent: &str,
        start: impl Fn(&str) -> (Raw, String),
        project: &Path,
    ) -> Self {
        let mut taken = Self::default();
        let (mut raw, session) = start("MARK-begin");
        let ask = json!({"prompt": "MARK-eyas", "agent": agent, "project": project});
        let first = rpc.delegate(&ask);
        let follow = json!({"prompt": "MARK-follow", "session": first["session"]});
        let mut cold = ask.clone();
        cold["mode"] = json!("cold");
        for _ in 0..ROUNDS {
            // What the last one began behind itself is nobody's burden.
            until_spare(rpc);
            raw.prompt(&session, "MARK-settle");
            taken.commits.extend((0..3).map(|_| disk.commit()));
            let asked = timed(|| raw.prompt(&session, "MARK-raw"));
            taken.raw_warm.push(asked);
            let opened = raw.session(project);
            let asked = timed(|| raw.prompt(&opened, "MARK-first"));
            taken.raw_first.push(asked);
            let same = taken.warm(rpc, &follow);
            taken.same.push(same);
            let session = first["session"].as_str().expect("a session");
            let asked = timed(|| shell::delegate(&mut eyas(), session, "MARK-shell"));
            taken.shell.push(asked);
            until_spare(rpc);
            let spare = taken.warm(rpc, &ask);
            taken.spare.push(spare);
            until_spare(rpc);
            taken.raw_cold.push(timed(|| drop(start("MARK-cold"))));
            taken.cold.push(timed(|| drop(rpc.delegate(&cold))));
        }
        taken
    }

    fn warm(&mut self, rpc: &mut Rpc, ask: &Value) -> Duration {
        let begun = Instant::now();
        let run = rpc.delegate(ask);
        let taken = begun.elapsed();
        assert_eq!(run["warm"], true, "{run}");
        let turn = run["conclusion"]["duration_ms"].as_u64().unwrap_or(0);
        self.own
            .push(taken.saturating_sub(Duration::from_millis(turn)));
        taken
    }

    /// Answers what one from a shell took.
    fn show(mut self, agent: &str) -> Duration {
        let commit = p50(&mut self.commits);
        row("one durable commit on this disk p50", us(commit), "");
        let (raw_cold, raw_warm) = (p50(&mut self.raw_cold), p50(&mut self.raw_warm));
        row(
            &format!("{agent}: raw start, session and prompt p50"),
            ms(raw_cold),
            "",
        );
        let bound = raw_cold + Duration::from_millis(15);
        against(
            &format!("{agent}: cold p50"),
            p50(&mut self.cold),
            bound,
            "raw + 15 ms",
        );
        row(
            &format!("{agent}: raw session/prompt p50"),
            ms(raw_warm),
            "",
        );
        let raw_first = p50(&mut self.raw_first);
        row(
            &format!("{agent}: raw, the first of an open session p50"),
            ms(raw_first),
            "",
        );
        let own = commit * 3 + Duration::from_micros(1_500);
        let what = format!("{agent}: warm, same session p50");
        against(&what, p50(&mut self.same), raw_warm + WARM, "raw + 5 ms");
        let what = format!("{agent}: eyas delegate --json p50");
        let shell = p50(&mut self.shell);
        against(&what, shell, raw_warm + SHELL, "raw + 25 ms");
        for (what, seen, raw) in [
            ("same", &mut self.same, raw_warm),
            ("spare", &mut self.spare, raw_first),
        ] {
            let what = format!("{agent}: warm, {what} session p50");
            against(&what, p50(seen), raw + own, "raw + 3 commits + 1.5 ms");
        }
        let what = format!("{agent}: of a warm one, all but the turn p50");
        against(&what, p50(&mut self.own), own, "3 commits + 1.5 ms");
        shell
    }
}

/// The program with nothing but this environment, which is then the hub's too.
fn eyas_in(home: &Home, env: &BTreeMap<String, String>) -> Command {
    let mut command = home.eyas();
    command.env_clear().envs(env);
    command.env("EYAS_HOME", home.path().join("home"));
    command
}
