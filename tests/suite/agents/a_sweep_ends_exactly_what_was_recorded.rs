use super::kit::{Bench, is_alive, until};
use serde_json::{Value, json};
use std::{
    process::{Child, Command},
    time::Duration,
};

fn sleeper() -> Child {
    Command::new("sleep").arg("300").spawn().unwrap()
}

fn start_time(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .nth(19)
        .unwrap()
        .parse()
        .unwrap()
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap()
        .trim()
        .to_owned()
}

fn record(bench: &Bench, name: &str, record: &Value) {
    let folder = bench.path().join("identities");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), record.to_string()).unwrap();
}

#[tokio::test]
async fn and_is_not_fooled_by_a_reused_number() {
    let bench = Bench::new();
    let (mut left, mut reused, mut rebooted, mut owned) =
        (sleeper(), sleeper(), sleeper(), sleeper());
    let identity = |pid: u32, off: u64| json!({"pid": pid, "start_time": start_time(pid) + off});
    let dead = json!({"pid": 4_194_300, "start_time": 1});
    let of = |child: &Child, off: u64| identity(child.id(), off);
    record(
        &bench,
        "left.json",
        &json!({"boot_id": boot(), "owner": dead, "shim": null, "agent": of(&left, 0)}),
    );
    record(
        &bench,
        "reused.json",
        &json!({"boot_id": boot(), "owner": dead, "shim": of(&reused, 1), "agent": of(&reused, 1)}),
    );
    record(
        &bench,
        "reboot.json",
        &json!({"boot_id": "another", "owner": dead, "shim": null, "agent": of(&rebooted, 0)}),
    );
    let me = identity(std::process::id(), 0);
    record(
        &bench,
        "owned.json",
        &json!({"boot_id": boot(), "owner": me, "shim": null, "agent": of(&owned, 0)}),
    );
    record(&bench, "junk.json", &json!("torn"));
    bench.launcher.sweep().await;
    until(Duration::from_secs(1), || !is_alive(left.id())).await;
    for other in [&reused, &rebooted, &owned] {
        assert!(is_alive(other.id()));
    }
    let mut names: Vec<_> = std::fs::read_dir(bench.path().join("identities"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["owned.json"]);
    for child in [&mut left, &mut reused, &mut rebooted, &mut owned] {
        drop(child.kill());
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_running_agent_is_on_record_and_an_ended_one_is_not() {
    let bench = Bench::new();
    let process = bench.launch("cat", &[]).await;
    let folder = bench.path().join("identities");
    let records = || -> Vec<Value> {
        let files = std::fs::read_dir(&folder).unwrap();
        files
            .filter_map(|f| serde_json::from_slice(&std::fs::read(f.unwrap().path()).ok()?).ok())
            .collect()
    };
    until(Duration::from_secs(5), || records().len() == 1).await;
    let record = records().remove(0);
    assert_eq!(record["shim"]["pid"], process.handle.pid());
    assert_eq!(record["owner"]["pid"], std::process::id());
    assert_eq!(
        record["agent"]["start_time"],
        start_time(u32::try_from(record["agent"]["pid"].as_u64().unwrap()).unwrap())
    );
    process.handle.close().await;
    assert!(records().is_empty());
}
