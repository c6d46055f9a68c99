//! An agent that serves on a port or a socket says where in its first line, and is spoken to there.

use super::kit::{Bench, FAKE, LIMITS, is_alive, until};
use eyas::{
    agents::{
        acp::{Link, Opening, Permit},
        badge,
    },
    domain::{
        agent::{AGENT_TOKEN_VARIABLE, Carrier, Transport},
        caller::Token,
        fault::{ErrorKind, Fault},
        policy::{Grounds, Policy},
    },
    stdx::Pause,
};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const SHORT: Transport = Transport {
    kind: Carrier::Tcp,
    startup_ms: 20_000,
    dial_ms: 500,
};

const LONG: Transport = Transport {
    kind: Carrier::Tcp,
    startup_ms: 20_000,
    dial_ms: 20_000,
};

async fn reach(program: &str, args: &[&str], transport: Transport) -> (Bench, Result<Link, Fault>) {
    let bench = Bench::new();
    let token = badge::secret().unwrap();
    let link = reach_as(&bench, (program, args), transport, &token, &token).await;
    (bench, link)
}

async fn reach_as(
    bench: &Bench,
    (program, args): (&str, &[&str]),
    transport: Transport,
    given: &Token,
    shown: &Token,
) -> Result<Link, Fault> {
    let mut command = bench.command(program, args);
    command
        .env
        .insert(AGENT_TOKEN_VARIABLE.to_owned(), given.0.clone());
    let process = bench.launcher.launch(command).await.unwrap();
    Link::dial(process, &transport, LIMITS, "fake", shown).await
}

async fn say(bench: &Bench, link: &Link, prompt: &str) -> String {
    let opening = Opening {
        cwd: bench.path().to_owned(),
        ..Opening::default()
    };
    let session = link.open(opening).await.unwrap().session;
    let permit = Permit {
        policy: Policy::default(),
        petitions: None,
        touches: None,
        pause: Pause::default(),
        grounds: Grounds {
            cwd: bench.path().to_owned(),
            workspace: None,
        },
    };
    let (send, _events) = mpsc::unbounded_channel();
    let turn = link.prompt(&session, prompt.to_owned(), permit, send);
    turn.await.unwrap().text
}

async fn refused(args: &[&str]) -> Fault {
    refused_within(args, SHORT).await
}

async fn refused_within(args: &[&str], transport: Transport) -> Fault {
    let args = [args, &["--mutter", "muttered s3cret"]].concat();
    let (bench, link) = reach(FAKE, &args, transport).await;
    let fault = link.unwrap_err();
    assert!(fault.detail.contains("muttered [redacted]"), "{fault}");
    // Nobody is left behind.
    let records = bench.path().join("identities");
    until(Duration::from_secs(5), || {
        std::fs::read_dir(&records).unwrap().count() == 0
    })
    .await;
    fault
}

#[tokio::test]
async fn wherever_it_serves_and_however_much_it_prints() {
    for (how, kind) in [
        ("port", Carrier::Tcp),
        ("tcp", Carrier::Tcp),
        ("unix", Carrier::Unix),
    ] {
        let transport = Transport { kind, ..LONG };
        let (bench, link) = reach(FAKE, &["--serve", how, "--chatty"], transport).await;
        let link = link.unwrap();
        assert_eq!(say(&bench, &link, "hello").await, "echo: hello", "{how}");
        let (pid, begun) = (link.process().pid(), Instant::now());
        link.close().await;
        // It does not read stdin: the end of its connection is what it goes by.
        assert!(begun.elapsed() < Duration::from_millis(1_400), "{how}");
        assert!(!is_alive(pid));
    }
}

#[tokio::test]
async fn only_by_whoever_has_its_token() {
    let bench = Bench::new();
    let (own, other) = (badge::secret().unwrap(), badge::secret().unwrap());
    let program = (FAKE, &["--serve", "tcp"][..]);
    let fault = reach_as(&bench, program, LONG, &own, &other)
        .await
        .unwrap_err();
    assert!(fault.detail.contains("who are you?"), "{fault}");
    reach_as(&bench, program, LONG, &own, &own).await.unwrap();
}

#[tokio::test]
async fn not_one_that_says_nothing() {
    // Long enough for it to have muttered.
    let soon = Transport {
        startup_ms: 1_500,
        ..SHORT
    };
    let fault = refused_within(&["--serve", "tcp", "--silent"], soon).await;
    assert_eq!(fault.kind, ErrorKind::HandshakeTimeout);
    assert!(fault.detail.contains("1500 ms"), "{fault}");
}

#[tokio::test]
async fn not_one_that_says_anything_else() {
    for line in [
        "Welcome to the agent!",
        "1|0",
        "2|tcp:10.0.0.1:80",
        "2|unix:relative",
        "2|unix:/elsewhere",
        "",
    ] {
        let fault = refused(&["--serve", "tcp", "--announce", line]).await;
        assert_eq!(fault.kind, ErrorKind::HandshakeMalformed, "{line}");
        assert!(fault.detail.contains(line), "{fault}");
    }
    let long = "x".repeat(5_000);
    let fault = refused(&["--serve", "tcp", "--announce", &long]).await;
    assert_eq!(fault.kind, ErrorKind::HandshakeMalformed);
    assert!(fault.detail.len() < 1_000, "{fault}");
}

#[tokio::test]
async fn not_one_of_another_version() {
    for line in ["3|tcp:127.0.0.1:80", "0|80"] {
        let fault = refused(&["--serve", "tcp", "--announce", line]).await;
        assert_eq!(fault.kind, ErrorKind::VersionMismatch, "{line}");
    }
}

#[tokio::test]
async fn not_one_that_is_not_there_or_does_not_serve() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("1|{}", port.local_addr().unwrap().port());
    drop(port);
    for args in [
        &["--serve", "tcp", "--announce", &nobody][..],
        &["--serve", "tcp", "--shut"],
        &["--serve", "tcp", "--mute-at", "initialize"],
    ] {
        let fault = refused(args).await;
        assert_eq!(fault.kind, ErrorKind::DialTimeout, "{args:?}: {fault}");
    }
}

#[tokio::test]
async fn one_that_ends_before_it_serves_says_why() {
    let script = "echo why it ended >&2; exit 5";
    let (_bench, link) = reach("sh", &["-c", script], LONG).await;
    let fault = link.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentDied);
    assert!(
        fault.detail.contains("why it ended") && fault.detail.contains("exit status 5"),
        "{fault}"
    );
    let (_bench, link) = reach("no-such-program-anywhere", &[], LONG).await;
    assert_eq!(link.unwrap_err().kind, ErrorKind::AgentSpawn);
    let tombstone = "echo this agent is no longer maintained";
    let (_bench, link) = reach("sh", &["-c", tombstone], LONG).await;
    let fault = link.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::HandshakeMalformed);
    assert!(fault.detail.contains("no longer maintained"), "{fault}");
}

#[tokio::test]
async fn its_death_in_a_turn_is_told_like_any() {
    let (bench, link) = reach(
        FAKE,
        &["--serve", "unix"],
        Transport {
            kind: Carrier::Unix,
            ..LONG
        },
    )
    .await;
    let link = link.unwrap();
    let opening = Opening {
        cwd: bench.path().to_owned(),
        ..Opening::default()
    };
    let session = link.open(opening.clone()).await.unwrap().session;
    let permit = Permit {
        policy: Policy::default(),
        petitions: None,
        touches: None,
        pause: Pause::default(),
        grounds: Grounds {
            cwd: bench.path().to_owned(),
            workspace: None,
        },
    };
    let (send, _events) = mpsc::unbounded_channel();
    let fault = link
        .prompt(&session, "!die 3".to_owned(), permit, send)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentDied);
    assert!(
        fault.detail.contains("exit status 3") && fault.detail.contains("dies as told"),
        "{fault}"
    );
    assert!(link.is_useless());
}
