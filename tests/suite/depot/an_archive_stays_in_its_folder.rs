use super::below;
use base64::Engine as _;
use eyas::{
    agents::fetch::unpack::{Bounds, unpack},
    domain::fault::{ErrorKind, Fault},
};
use std::{
    fs,
    io::{Cursor, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};
use tempfile::TempDir;

const BOUNDS: Bounds = Bounds {
    bytes: 1 << 20,
    entries: 100,
};

/// An entry of a tape, made by hand: the crate that reads them refuses to write what is bad.
#[derive(Clone, Copy)]
struct Entry<'a> {
    name: &'a str,
    kind: u8,
    target: &'a str,
    data: &'a [u8],
}

fn file<'a>(name: &'a str, data: &'a [u8]) -> Entry<'a> {
    Entry {
        name,
        kind: b'0',
        target: "",
        data,
    }
}

fn link<'a>(name: &'a str, target: &'a str) -> Entry<'a> {
    Entry {
        name,
        kind: b'2',
        target,
        data: b"",
    }
}

fn kind<'a>(name: &'a str, kind: u8, target: &'a str) -> Entry<'a> {
    Entry {
        name,
        kind,
        target,
        data: b"",
    }
}

fn tape(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut tape = Vec::new();
    for entry in entries {
        let mut head = tar::Header::new_ustar();
        {
            let raw = head.as_old_mut();
            raw.name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
            raw.linkname[..entry.target.len()].copy_from_slice(entry.target.as_bytes());
            raw.linkflag[0] = entry.kind;
        }
        head.set_size(entry.data.len() as u64);
        head.set_mode(0o4755);
        head.set_cksum();
        tape.extend_from_slice(head.as_bytes());
        tape.extend_from_slice(entry.data);
        tape.resize(tape.len().next_multiple_of(512), 0);
    }
    tape.resize(tape.len() + 1024, 0);
    tape
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

/// A folder with `in` to unpack into, beside which nothing may appear.
struct Yard(TempDir);

impl Yard {
    fn new() -> Self {
        let yard = tempfile::tempdir().unwrap();
        fs::create_dir(yard.path().join("in")).unwrap();
        fs::write(yard.path().join("secret"), "s").unwrap();
        Self(yard)
    }

    fn unpack(&self, bytes: &[u8]) -> Result<Bounds, Fault> {
        self.within(bytes, BOUNDS)
    }

    fn within(&self, bytes: &[u8], bounds: Bounds) -> Result<Bounds, Fault> {
        let archive = self.0.path().join("archive");
        fs::write(&archive, bytes).unwrap();
        let done = unpack(&archive, &self.inside(), "hawk", bounds);
        fs::remove_file(&archive).unwrap();
        done
    }

    fn inside(&self) -> std::path::PathBuf {
        self.0.path().join("in")
    }

    /// Whatever happened, it happened inside.
    fn is_clean(&self) -> bool {
        let mut names: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|one| one.unwrap().file_name())
            .collect();
        names.sort();
        names == ["in", "secret"] && fs::read(self.0.path().join("secret")).unwrap() == b"s"
    }
}

fn refused(what: &str, bytes: &[u8], expected: ErrorKind) {
    let yard = Yard::new();
    let fault = yard.unpack(bytes).expect_err(what);
    assert_eq!(fault.kind, expected, "{what}: {fault}");
    assert!(yard.is_clean(), "{what}");
}

#[test]
fn what_is_well_made_is_unpacked_whatever_it_is_packed_in() {
    let tape = tape(&[
        kind("hawk-1.0/", b'5', ""),
        file("hawk-1.0/bin/hawk", b"#!/bin/sh\n"),
        file("./hawk-1.0/README", b"read me"),
        link("hawk-1.0/latest", "bin/hawk"),
        link("hawk-1.0/bin/up", "../README"),
        kind("hawk-1.0/twin", b'1', "hawk-1.0/bin/hawk"),
    ]);
    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz.write_all(&tape).unwrap();
    for bytes in [tape.clone(), gz(&tape), bz.finish().unwrap(), xz()] {
        let yard = Yard::new();
        yard.unpack(&bytes).unwrap();
        let program = yard.inside().join("hawk-1.0/bin/hawk");
        assert_eq!(fs::read(&program).unwrap(), b"#!/bin/sh\n");
        // Nothing of a mode is kept but that it is a program.
        assert_eq!(
            program.metadata().unwrap().permissions().mode() & 0o7777,
            0o755
        );
        assert!(yard.is_clean());
    }
    let yard = Yard::new();
    yard.unpack(&gz(b"\x7fELF and so on")).unwrap();
    assert_eq!(below(&yard.inside()), ["hawk"]);
}

/// The same program, and nothing else, as `xz` packs it: the crate that reads it here cannot.
const XZ: &str = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AGxdADQYS1Vgdai8ilFa+3Xzsb/OqAmazHyHQX6eGRrcAIoavwgzNDXtzerFQ7iCYcl9KScLeU\
     jpccb/7/WMjsjUM2NuSeoCG72rw/BFiJQKlvN/wQjEdNgbutHXDiR9qpfhlg8nrnO9T27pE5NIAADdfo8sJqFZzAABiAGAUAAAU/MzjbHEZ/sC\
     AAAAAARZWg==";

fn xz() -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(XZ)
        .unwrap()
}

#[test]
fn nothing_leaves_the_folder() {
    let far = Entry {
        name: "far",
        kind: b'L',
        target: "",
        data: &vec![b'a'; 100_000],
    };
    let cases: Vec<(&str, Vec<Entry<'_>>)> = vec![
        ("climbs", vec![file("../x", b"x")]),
        ("climbs within", vec![file("a/../../x", b"x")]),
        ("absolute", vec![file("/tmp/eyas-must-not-be", b"x")]),
        ("a link to above", vec![link("l", "..")]),
        ("a link to the root", vec![link("l", "/etc")]),
        ("a link to nowhere", vec![link("l", "gone")]),
        ("a link to itself", vec![link("l", "l")]),
        ("through a link", vec![link("l", "../"), file("l/x", b"x")]),
        (
            "through a link that comes after",
            vec![file("l/x", b"x"), link("l", "..")],
        ),
        (
            "a link that is inside by its words alone",
            vec![
                kind("p/q/r/", b'5', ""),
                link("p/q/r/d", "../../.."),
                link("e", "p/q/r/d/../secret"),
            ],
        ),
        (
            "a link over a link",
            vec![link("a", ".."), link("a/b", "x")],
        ),
        (
            "a twin of what is outside",
            vec![kind("t", b'1', "../secret")],
        ),
        ("a twin of the root's", vec![kind("t", b'1', "/etc/passwd")]),
        (
            "a twin of a link",
            vec![link("l", "f"), file("f", b"x"), kind("t", b'1', "l")],
        ),
        ("a device", vec![kind("d", b'3', "")]),
        ("a block device", vec![kind("d", b'4', "")]),
        ("a pipe", vec![kind("p", b'6', "")]),
        ("a name without end", vec![far, file("x", b"x")]),
        ("no name", vec![file("./", b"x"), file(".", b"x")]),
    ];
    for (what, entries) in cases {
        refused(what, &gz(&tape(&entries)), ErrorKind::ArtifactMissing);
    }
    assert!(!Path::new("/tmp/eyas-must-not-be").exists());
}

#[test]
fn a_bomb_is_defused() {
    refused(
        "a large file",
        &gz(&tape(&[file("x", &vec![0; 2 << 20])])),
        ErrorKind::TooLarge,
    );
    refused(
        "a large program",
        &gz(&vec![1; 2 << 20]),
        ErrorKind::TooLarge,
    );
    let many: Vec<String> = (0..200).map(|number| format!("f{number}")).collect();
    let many: Vec<Entry<'_>> = many.iter().map(|name| file(name, b"")).collect();
    refused("many files", &gz(&tape(&many)), ErrorKind::TooLarge);
    // What is skipped costs time too: a comment of 8 MiB.
    let long = Entry {
        name: "g",
        kind: b'g',
        target: "",
        data: &vec![0; 8 << 20],
    };
    refused(
        "a long comment",
        &gz(&tape(&[long, file("x", b"x")])),
        ErrorKind::TooLarge,
    );
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("x", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(&vec![0; 2 << 20]).unwrap();
    refused(
        "a zip",
        &zip.finish().unwrap().into_inner(),
        ErrorKind::TooLarge,
    );
}

#[test]
fn a_zip_is_held_to_the_same() {
    let made = |name: &str, mode: u32, data: &[u8]| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
        zip.start_file(name, options).unwrap();
        zip.write_all(data).unwrap();
        zip.finish().unwrap().into_inner()
    };
    let yard = Yard::new();
    yard.unpack(&made("bin/hawk", 0o755, b"hawk")).unwrap();
    assert_eq!(below(&yard.inside()), ["bin", "bin/hawk"]);
    for (what, name) in [
        ("climbs", "../x"),
        ("climbs within", "a/../../x"),
        ("absolute", "/tmp/x"),
    ] {
        refused(what, &made(name, 0o644, b"x"), ErrorKind::ArtifactMissing);
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("l", "../secret", zip::write::SimpleFileOptions::default())
        .unwrap();
    refused(
        "a link",
        &zip.finish().unwrap().into_inner(),
        ErrorKind::ArtifactMissing,
    );
}

#[test]
fn what_is_cut_off_or_nonsense_is_no_archive() {
    let whole = gz(&tape(&[file("x", &[7; 5_000])]));
    for end in [whole.len() - 1, whole.len() / 2, 30] {
        refused("cut off", &whole[..end], ErrorKind::ArtifactMissing);
    }
    refused(
        "half a zip",
        b"PK\x03\x04nonsense",
        ErrorKind::ArtifactMissing,
    );
    refused(
        "a broken xz",
        b"\xfd7zXZ\0nonsense",
        ErrorKind::ArtifactMissing,
    );
    refused("a broken bz", b"BZh9nonsense", ErrorKind::ArtifactMissing);
}

#[test]
fn a_layer_does_not_lead_the_links_of_another_out_of_it() {
    let yard = Yard::new();
    let first = [file("a/b/x", b"x"), link("hawk", "a/b/../../secret")];
    let first = [&first[..], &[file("secret", b"its own")]].concat();
    yard.unpack(&gz(&tape(&first))).unwrap();
    // The same words lead above the folder once `b` is `a` itself.
    let second = [file("a/.wh.b", b""), link("a/b", ".")];
    let refused = yard.unpack(&gz(&tape(&second))).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::ArtifactMissing, "{refused}");
}

#[test]
fn several_in_one_folder_are_bounded_together() {
    let yard = Yard::new();
    let half = vec![0; 600 * 1024];
    let left = yard.unpack(&gz(&tape(&[file("one", &half)]))).unwrap();
    assert_eq!(left.bytes, BOUNDS.bytes - 600 * 1024);
    let more = gz(&tape(&[file("two", &half)]));
    assert_eq!(
        yard.within(&more, left).unwrap_err().kind,
        ErrorKind::TooLarge
    );
}
