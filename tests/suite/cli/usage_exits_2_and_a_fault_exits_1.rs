use super::Bench;

#[test]
fn usage_exits_2() {
    let bench = Bench::new();
    for args in [
        &["nonsense"][..],
        &["persona", "get"],
        &["delegate", "--mode", "tepid", "x"],
        &["run", "get", "not-an-id"],
    ] {
        assert_eq!(bench.eyas(args, b"").status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_delegation_without_a_prompt_is_usage() {
    let output = Bench::new().eyas(&["delegate"], b" \n");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("`prompt` is required (required_field)"),
        "{said}"
    );
    assert!(said.contains("hint: "), "{said}");
}

#[test]
fn a_fault_exits_1_with_its_kind_in_words_or_as_json() {
    let bench = Bench::new();
    let (fault, code) = bench.json(&["persona", "get", "revewer"]);
    assert_eq!(
        (fault["kind"].as_str(), code),
        (Some("not_found"), Some(1)),
        "{fault}"
    );

    let output = bench.eyas(&["persona", "get", "revewer"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("(not_found)") && said.contains("reviewer"),
        "{said}"
    );
}
