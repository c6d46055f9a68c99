//! Eyas' own share of a turn, beside the same agent spoken to without Eyas and one durable commit on the same disk.

use crate::{
    disk,
    home::{self, Home},
    raw::Raw,
    rpc::Rpc,
    shell,
    table::{against, ms, p50, ratio, row, us},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

const TURNS: usize = 200;
const PROJECTS: usize = 8;
const PROMPTS: usize = 64;
/// Beside the agent's own part: of a warm prompt, and of one from a shell, process start included.
pub(crate) const WARM: Duration = Duration::from_millis(5);
pub(crate) const SHELL: Duration = Duration::from_millis(25);

pub(crate) fn bench() {
    let home = Home::new();
    let mut rpc = home.rpc();
    one_by_one(&home, &mut rpc);
    side_by_side(&home, &mut rpc);
    let hub = home::resident_mb(home.hub_pid());
    row(
        "hub afterwards, resident",
        format!("{hub:.1} MB"),
        "<= 60 MB",
    );
    drop(rpc);
    home.stop();
}

pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn one_by_one(home: &Home, rpc: &mut Rpc) {
    let commit = p50(&mut disk::single_commits(home.path(), TURNS));
    row("one durable commit on this disk p50", us(commit), "");
    let own = std::env::current_exe().expect("this binary");
    let agent = [
        own.to_string_lossy().into_owned(),
        "--instant-agent".to_owned(),
    ];
    let project = home.project("one");

    let mut raw = Raw::start(&agent, &project);
    let session = raw.session(&project);
    let mut taken: Vec<_> = (0..TURNS)
        .map(|_| timed(|| raw.prompt(&session, "instant")))
        .collect();
    let raw_warm = p50(&mut taken);
    row("raw session/prompt p50", us(raw_warm), "");
    let bound = raw_warm + commit * 3 + Duration::from_micros(1_500);

    let ask = json!({"prompt": "instant", "agent": "instant", "project": project});
    let first = rpc.delegate(&ask);
    let follow = json!({"prompt": "instant", "session": first["session"]});
    let mut taken: Vec<_> = (0..TURNS)
        .map(|_| timed(|| assert_eq!(rpc.delegate(&follow)["warm"], true)))
        .collect();
    let same = p50(&mut taken);
    let what = "warm, same session p50";
    against(what, same, bound, "raw + 3 commits + 1.5 ms");
    against(what, same, raw_warm + WARM, "raw + 5 ms");
    let session = first["session"].as_str().expect("a session");
    let mut taken: Vec<_> = (0..TURNS / 4)
        .map(|_| timed(|| shell::delegate(&mut home.eyas(), session, "instant")))
        .collect();
    let bound_of_shell = raw_warm + SHELL;
    against(
        "eyas delegate --json p50",
        p50(&mut taken),
        bound_of_shell,
        "raw + 25 ms",
    );

    let mut taken: Vec<_> = (0..TURNS)
        .map(|_| {
            until_spare(rpc);
            timed(|| assert_eq!(rpc.delegate(&ask)["warm"], true))
        })
        .collect();
    against(
        "warm, spare session p50",
        p50(&mut taken),
        bound,
        "raw + 3 commits + 1.5 ms",
    );
    cold(&agent, &project, rpc, ask);
}

fn cold(agent: &[String], project: &Path, rpc: &mut Rpc, mut ask: Value) {
    let mut taken: Vec<_> = (0..20)
        .map(|_| {
            timed(|| {
                let mut raw = Raw::start(agent, project);
                let session = raw.session(project);
                raw.prompt(&session, "instant");
            })
        })
        .collect();
    let raw_cold = p50(&mut taken);
    row("raw start, session and prompt p50", ms(raw_cold), "");
    ask["mode"] = json!("cold");
    let mut taken: Vec<_> = (0..20)
        .map(|_| timed(|| drop(rpc.delegate(&ask))))
        .collect();
    let bound = raw_cold + Duration::from_millis(15);
    against("cold p50", p50(&mut taken), bound, "raw + 15 ms");
}

pub(crate) fn until_spare(rpc: &mut Rpc) {
    let begun = Instant::now();
    loop {
        let info = rpc.call("hub.info", &json!({}));
        let mut agents = info["agents"].as_array().into_iter().flatten();
        if agents.any(|agent| agent["spare"] == 1 && agent["busy"] == 0) {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "no spare: {info}"
        );
        thread::yield_now();
    }
}

/// Turns of 50 ms in eight projects.
fn side_by_side(home: &Home, rpc: &mut Rpc) {
    let agent = [env!("CARGO_BIN_EXE_fake-agent").to_owned()];
    let projects: Vec<_> = (0..PROJECTS)
        .map(|n| home.project(&format!("p{n}")))
        .collect();
    let mut raws: Vec<_> = projects
        .iter()
        .map(|project| {
            let mut raw = Raw::start(&agent, project);
            let session = raw.session(project);
            (raw, session)
        })
        .collect();
    let raw = timed(|| {
        thread::scope(|scope| {
            for (raw, session) in &mut raws {
                scope.spawn(move || {
                    for _ in 0..PROMPTS / PROJECTS {
                        raw.prompt(session, "!sleep 50");
                    }
                });
            }
        });
    });
    drop(raws);
    row("64 raw prompts of 50 ms, 8 at a time", ms(raw), "");
    let ask = |n: usize| json!({"prompt": "!sleep 50", "agent": "fake", "project": projects[n % PROJECTS]});
    for n in 0..PROJECTS {
        rpc.delegate(&ask(n));
    }
    let eyas = timed(|| {
        let sent: Vec<_> = (0..PROMPTS)
            .map(|n| rpc.send("run.delegate", &ask(n)))
            .collect();
        let runs: Vec<_> = sent.into_iter().map(|id| rpc.answer(id)).collect();
        for run in runs {
            rpc.end(&run);
        }
    });
    row(
        "the same delegated, 64 in flight",
        format!("{} = {:.2} x the rate", ms(eyas), ratio(raw, eyas)),
        ">= 0.9 x",
    );
}
