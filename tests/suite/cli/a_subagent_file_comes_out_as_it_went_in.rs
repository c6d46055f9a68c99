use super::Bench;
use std::fs;

const FILE: &str = "---\nname: poet\ndescription: Use for verse.\ntools: Read, Grep\nmodel: opus\ncolor: green\n---\nYou write verse.\n";

#[test]
fn a_subagent_file_comes_out_as_it_went_in() {
    let bench = Bench::new();
    fs::write(bench.project().join("poet.md"), FILE).unwrap();
    let (persona, code) = bench.json(&["persona", "import", "poet.md"]);
    assert_eq!(
        (persona["id"].as_str(), code),
        (Some("poet"), Some(0)),
        "{persona}"
    );

    let printed = bench.eyas(&["persona", "export", "poet"], b"");
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), FILE);

    let kept = bench.eyas(&["persona", "export", "poet", "--to", "poet.md"], b"");
    assert_eq!(
        kept.status.code(),
        Some(1),
        "a file was replaced unasked: {kept:?}"
    );
    let written = bench.eyas(&["persona", "export", "poet", "--to", "out.md"], b"");
    assert!(written.status.success(), "{written:?}");
    assert_eq!(
        fs::read_to_string(bench.project().join("out.md")).unwrap(),
        FILE
    );
}

#[test]
fn a_file_beyond_256_kib_is_refused() {
    let bench = Bench::new();
    fs::write(bench.project().join("big.md"), "x".repeat(256 * 1024 + 1)).unwrap();
    let (fault, code) = bench.json(&["persona", "import", "big.md"]);
    assert_eq!(
        (fault["kind"].as_str(), code),
        (Some("too_large"), Some(1)),
        "{fault}"
    );
}
