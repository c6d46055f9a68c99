use super::{Bench, names};
use std::{fs, path::Path};

#[test]
fn the_demo_leaves_nothing_behind() {
    let bench = Bench::new();
    let output = bench.eyas(&["demo"], b"");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "SOUL.md",
        "succeeded · cold",
        "succeeded · warm",
        "no model",
        "mcpServers",
    ] {
        assert!(told.contains(part), "no {part:?} in:\n{told}");
    }
    assert_eq!(
        names(&bench.project()),
        ["main.py"],
        "the project was written into"
    );
    assert_eq!(
        names(&bench.tmp()),
        Vec::<String>::new(),
        "the temporary home is still there"
    );
    assert_eq!(
        working_in(&bench.project()),
        Vec::<String>::new(),
        "a process is left"
    );
}

#[test]
fn the_demos_figures_are_those_of_its_runs() {
    let (told, code) = Bench::new().json(&["demo"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(
        (&told["cold"]["run"]["warm"], &told["warm"]["run"]["warm"]),
        (&false.into(), &true.into())
    );
    assert!(
        told["cold"]["took_ms"].is_u64() && told["warm"]["took_ms"].is_u64(),
        "{told}"
    );
}

/// Processes whose directory is this one.
fn working_in(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().unwrap();
    let processes = names(Path::new("/proc"))
        .into_iter()
        .filter(|name| name.parse::<u32>().is_ok());
    processes
        .filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder))
        .collect()
}
