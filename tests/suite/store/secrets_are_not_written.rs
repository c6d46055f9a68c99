//! What a face sent as a secret, and what has the shape of a key, is in no file of the store.

use super::kit::{Home, conclusion, ends, message, run, says};
use eyas::{
    domain::{
        event::{EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        run::{AttemptOutcome, RunState, Warning},
    },
    store::{NewRun, Release},
};
use serde_json::json;

const CANARY: &str = "canary/value+of-a-face";
const KEY: &str = "sk-ant-api03-CANARYcanaryCANARYcanary";

fn told() -> String {
    format!("it said {CANARY} and {KEY}, twice {CANARY}")
}

#[tokio::test]
async fn no_file_holds_a_secret() {
    let home = Home::new().await;
    home.store
        .redactor
        .remember([CANARY.to_owned(), "short".to_owned()].into_iter());
    let id = home
        .accept(NewRun {
            prompt: told(),
            label: Some(told()),
            warnings: vec![Warning::new("odd", told())],
            ..run()
        })
        .await;
    let lease = home.claim_one().await;
    let mut progress = says(&told());
    progress.events.push(NewEvent {
        kind: EventKind::ToolCall,
        data: json!({"deep": [{"input": told(), "api_key": "abcd1234efgh"}]}),
    });
    progress.note.reason = Some(told());
    home.store.runs.append(lease, progress).await.unwrap();
    let release = Release {
        waiting: None,
        delay_ms: 0,
        reason: told(),
    };
    home.store.runs.release(lease, release).await.unwrap();
    let lease = home.claim_one().await;
    home.store.runs.cancel(id, told()).await.unwrap();
    let mut end = ends(RunState::Failed, AttemptOutcome::Failed);
    end.error = Some(Fault::new(ErrorKind::AgentDied, told()).hint(told()));
    end.conclusion = Some(conclusion(&told()));
    end.stderr_tail = Some(told());
    end.warnings = vec![Warning::new("odd", told())];
    end.progress = says(&told());
    home.store.runs.finish(lease, end).await.unwrap();
    home.store
        .events
        .record(None, None, message(&told()))
        .await
        .unwrap();

    let found = home.store.runs.get(id).await.unwrap();
    assert!(
        found
            .prompt
            .starts_with("it said [redacted] and [redacted], twice")
    );
    assert_eq!(
        found.warnings.len(),
        2,
        "those of the acceptance and of the end"
    );
    assert_no_secret(&home).await;
    home.store.closer.close().await;
    assert_no_secret(&home).await;
}

/// Nowhere in what the database holds, on disk if that can be seen.
async fn assert_no_secret(home: &Home) {
    for (name, bytes) in home.place.written().await {
        for secret in [CANARY, KEY, "abcd1234efgh", "canaryCANARY"] {
            let there = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!there, "{secret} is in {name}");
        }
    }
}
