use super::Bench;
use std::fs;

#[test]
fn a_hub_may_be_installed_and_removed() {
    if cfg!(target_os = "macos") {
        return;
    }
    let bench = Bench::new();
    let (planned, _) = bench.json(&["hub", "install", "--dry-run"]);
    let path = planned["path"].as_str().unwrap();
    assert!(
        path.contains("/.config/systemd/user/eyas-hub-"),
        "{planned}"
    );
    assert!(!fs::exists(path).unwrap());
    let text = planned["text"].as_str().unwrap();
    let home = format!("Environment=\"EYAS_HOME={}\"", bench.home().display());
    assert!(
        text.contains(&home) && text.contains(" hub run\n"),
        "{text}"
    );
    // Where there is no systemd to tell, it says what to type.
    for changed in [true, false] {
        let (done, code) = bench.json(&["hub", "install"]);
        assert_eq!((done["changed"].as_bool(), code), (Some(changed), Some(0)));
        assert_eq!(fs::read_to_string(path).unwrap(), text);
    }
    for (removed, dry) in [(false, true), (true, false), (false, false)] {
        let words = ["hub", "uninstall", "--dry-run"];
        let (done, code) = bench.json(&words[..if dry { 3 } else { 2 }]);
        assert_eq!((done["removed"].as_bool(), code), (Some(removed), Some(0)));
        assert_eq!(fs::exists(path).unwrap(), dry);
    }
}
