use super::web::{Request, Step, Web, body, head, missing, ok, ranged};
use eyas::{
    agents::fetch::{Digest, Fetcher, Pace, Progress, Wanted},
    domain::fault::{ErrorKind, Fault},
};
use std::{collections::BTreeMap, fs, time::Duration};

fn fetcher(tries: u32) -> Fetcher {
    let pace = Pace {
        stall: Duration::from_millis(400),
        total: Duration::from_secs(30),
        bytes: 4 << 20,
        tries,
        pause: Duration::from_millis(5),
    };
    Fetcher::new(&BTreeMap::new(), pace).unwrap()
}

/// Every byte says where it stands.
fn bytes() -> Vec<u8> {
    (0..1_000_000_u32)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

async fn fetch(url: &str, digest: Option<&Digest>) -> Result<Vec<u8>, Fault> {
    try_to_fetch(url, digest, 3).await
}

async fn try_to_fetch(url: &str, digest: Option<&Digest>, tries: u32) -> Result<Vec<u8>, Fault> {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("file");
    let progress = Progress::default();
    let wanted = Wanted {
        url,
        headers: &[],
        digest,
        progress: &progress,
    };
    let found = fetcher(tries).file(wanted, &to).await?;
    let came = fs::read(&to).unwrap();
    assert_eq!(found, Digest::of(&came));
    assert_eq!(progress.now().bytes, came.len() as u64);
    Ok(came)
}

#[tokio::test]
async fn what_breaks_off_at_any_byte_is_taken_up_there() {
    let all = bytes();
    let digest = Digest::of(&all);
    for end in [Step::Reset, Step::Stall] {
        let (served, ends) = (all.clone(), end.clone());
        let web = Web::new(move |request, before| {
            // Each connection goes a little further: nothing, one byte, and more.
            let upto = [0, 1, 4_095, 70_000, 300_000][before.min(4)];
            match before {
                0..=4 => ranged(request, &served, upto, Some(ends.clone())),
                _ => ranged(request, &served, served.len(), None),
            }
        });
        let came = try_to_fetch(&web.url("/x"), Some(&digest), 9)
            .await
            .unwrap();
        assert!(came == all);
        let from: Vec<usize> = web.asked().iter().map(Request::from).collect();
        if matches!(end, Step::Stall) {
            assert_eq!(from, [0, 0, 1, 4_096, 74_096, 374_096]);
        } else {
            // A connection that is reset may take with it what was on its way.
            assert!(from.is_sorted() && from.len() == 6, "{from:?}");
        }
        let last = web.asked().pop().unwrap();
        if last.from() > 0 {
            assert_eq!(last.head("if-range"), Some("\"same\""));
        }
    }
}

#[tokio::test]
async fn what_never_comes_is_given_up() {
    for end in [Step::Reset, Step::Stall] {
        let web = Web::new(move |request, _| ranged(request, &bytes(), 0, Some(end.clone())));
        let fault = fetch(&web.url("/x"), None).await.unwrap_err();
        assert_eq!(fault.kind, ErrorKind::StoreUnavailable, "{fault}");
        assert_eq!(web.asked().len(), 3);
    }
    // Nobody listens there.
    let gone = Web::new(|_, _| ok(b""))
        .url("/x")
        .replace("127.0.0.1", "127.0.0.254");
    let fault = fetch(&gone, None).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::StoreUnavailable, "{fault}");
}

#[tokio::test]
async fn other_bytes_than_were_promised_are_refused() {
    let web = Web::new(|_, _| ok(b"something else"));
    let promised = Digest::of(b"what was promised");
    let fault = fetch(&web.url("/x"), Some(&promised)).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::DigestMismatch);
    assert!(fault.detail.contains(promised.as_str()), "{fault}");
    // A file that is replaced while it is fetched is fetched anew, not patched together.
    let web = Web::new(|request, before| match before {
        0 => ranged(request, &bytes(), 500, Some(Step::Reset)),
        _ => body("200 OK", &[("etag", "\"new\"".to_owned())], b"the new one"),
    });
    assert_eq!(fetch(&web.url("/x"), None).await.unwrap(), b"the new one");
    // One that answers another range than was asked for is not believed.
    let web = Web::new(|request, before| match before {
        0 => ranged(request, &bytes(), 500, Some(Step::Reset)),
        1 => vec![
            Step::Send(head(
                "206 Partial Content",
                &[
                    ("content-range", "bytes 7-9/10".to_owned()),
                    ("content-length", "3".to_owned()),
                ],
            )),
            Step::Send(b"abc".to_vec()),
        ],
        _ => ranged(request, &bytes(), usize::MAX, None),
    });
    let digest = Digest::of(&bytes());
    assert!(fetch(&web.url("/x"), Some(&digest)).await.unwrap() == bytes());
}

#[tokio::test]
async fn what_does_not_end_is_cut_off() {
    let said = Web::new(|_, _| {
        vec![
            Step::Send(head(
                "200 OK",
                &[("content-length", (1_u64 << 40).to_string())],
            )),
            Step::Stall,
        ]
    });
    let chunked = Web::new(|_, _| {
        vec![
            Step::Send(head(
                "200 OK",
                &[("transfer-encoding", "chunked".to_owned())],
            )),
            Step::Flood([b"10000\r\n".as_slice(), &[7; 0x10000], b"\r\n"].concat()),
        ]
    });
    for web in [said, chunked] {
        let fault = fetch(&web.url("/x"), None).await.unwrap_err();
        assert_eq!(fault.kind, ErrorKind::TooLarge, "{fault}");
        assert_eq!(web.asked().len(), 1, "once is enough");
    }
}

#[tokio::test]
async fn a_server_that_is_down_for_now_is_asked_again_and_one_that_has_nothing_is_not() {
    let web = Web::new(|_, before| match before {
        0 => body(
            "503 Service Unavailable",
            &[("retry-after", "0".to_owned())],
            b"",
        ),
        1 => body("429 Too Many Requests", &[], b""),
        _ => ok(b"here"),
    });
    assert_eq!(fetch(&web.url("/x"), None).await.unwrap(), b"here");
    let web = Web::new(|_, _| body("500 Internal Server Error", &[], b"out  of\norder"));
    let fault = fetch(&web.url("/x?token=secret"), None).await.unwrap_err();
    assert_eq!(
        (fault.kind, web.asked().len()),
        (ErrorKind::StoreUnavailable, 3)
    );
    assert!(fault.detail.contains("out of order"), "{fault}");
    assert!(!fault.detail.contains("secret"), "{fault}");
    let web = Web::new(|_, _| missing());
    let fault = fetch(&web.url("/x"), None).await.unwrap_err();
    assert_eq!(
        (fault.kind, web.asked().len()),
        (ErrorKind::ArtifactMissing, 1)
    );
    let web = Web::new(|_, _| body("401 Unauthorized", &[], b""));
    let fault = fetch(&web.url("/x"), None).await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::StoreUnavailable);
    assert!(fault.hint.is_some(), "{fault}");
}

#[tokio::test]
async fn in_the_clear_only_what_is_near_or_known_is_asked_for() {
    for url in [
        "http://example.org/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
    ] {
        fetch(url, None).await.unwrap_err();
    }
    fetch("not an address", None).await.unwrap_err();
}
