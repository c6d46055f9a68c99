//! Archives, unpacked into one folder and nowhere else: `.tar`, `.tar.gz`, `.tar.bz2`, `.tar.xz`, `.zip`. Told apart by their first bytes; what
//! is none of these is the program itself.

mod tar;
mod tree;
mod zip;

use crate::domain::fault::{ErrorKind, Fault};
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _},
    path::Path,
};
use tree::Tree;

/// How much may come out of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub bytes: u64,
    pub entries: u64,
}

impl Bounds {
    /// So many bytes, in as many entries as the largest programs have.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        Self {
            bytes,
            entries: 200_000,
        }
    }
}

/// For the window of an xz stream; its own tools' highest level takes 65 MiB.
const XZ_MEMORY_KIB: u32 = 128 * 1024;

/// Unpacks `file` into `folder`; what is no archive gets the name `plain` there. Blocks. On an error there may be a part of it.
/// Answers what of the bounds is left for another in the same folder.
///
/// # Errors
/// `artifact_missing` for an archive that is broken, or that would reach out of the folder; `too_large` for one that does not end.
pub fn unpack(file: &Path, folder: &Path, plain: &str, bounds: Bounds) -> Result<Bounds, Fault> {
    let mut tree = Tree::new(folder, bounds).map_err(|error| broken(&error))?;
    fill(file, plain, &mut tree)
        .and_then(|()| tree.finish())
        .map_err(Spoilt::fault)
}

/// Why an archive is not unpacked.
#[derive(Debug)]
enum Spoilt {
    Broken(io::Error),
    /// Who made it means harm, or knows no better.
    Refused(String),
    TooLarge(String),
}

impl From<io::Error> for Spoilt {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::FileTooLarge {
            Self::TooLarge(error.to_string())
        } else {
            Self::Broken(error)
        }
    }
}

/// What was packed, as far as it may go: a stream may cost time without a byte of it being written.
struct Metered<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "too much comes out of it")
        })?;
        Ok(read)
    }
}

impl Spoilt {
    fn fault(self) -> Fault {
        match self {
            Self::Broken(error) => broken(&error),
            Self::Refused(why) => Fault::new(
                ErrorKind::ArtifactMissing,
                format!("the archive is refused: {why}"),
            ),
            Self::TooLarge(why) => Fault::new(
                ErrorKind::TooLarge,
                format!("the archive is refused: {why}"),
            )
            .hint("`depot.max_bytes` says how much may come out of one"),
        }
    }
}

fn broken(error: &io::Error) -> Fault {
    Fault::new(
        ErrorKind::ArtifactMissing,
        format!("the archive cannot be unpacked: {error}"),
    )
}

fn fill(path: &Path, plain: &str, tree: &mut Tree) -> Result<(), Spoilt> {
    let mut file = File::open(path)?;
    let mut head = Vec::with_capacity(512);
    Read::by_ref(&mut file).take(512).read_to_end(&mut head)?;
    file.rewind()?;
    let is = |magic: &[u8]| head.starts_with(magic);
    let inner = BufReader::with_capacity(128 * 1024, file);
    if is(b"PK\x03\x04") {
        return zip::fill(inner.into_inner(), tree);
    }
    if is(b"\x1f\x8b") {
        return stream(flate2::bufread::MultiGzDecoder::new(inner), plain, tree);
    }
    if is(b"BZh") {
        return stream(bzip2::bufread::MultiBzDecoder::new(inner), plain, tree);
    }
    if is(b"\xfd7zXZ\0") {
        let reader = lzma_rust2::XzReader::new_mem_limit(inner, true, XZ_MEMORY_KIB);
        return stream(reader, plain, tree);
    }
    if is_tar(&head) {
        return tar::fill(inner, tree);
    }
    tree.program(plain, inner)
}

/// What was compressed is a tar, or a single program.
fn stream(inner: impl Read, plain: &str, tree: &mut Tree) -> Result<(), Spoilt> {
    let mut inner = Metered {
        inner,
        left: tree.most(),
    };
    let mut head = Vec::with_capacity(512);
    Read::by_ref(&mut inner).take(512).read_to_end(&mut head)?;
    let is_tar = is_tar(&head);
    let whole = io::Cursor::new(head).chain(inner);
    if is_tar {
        tar::fill(whole, tree)
    } else {
        tree.program(plain, whole)
    }
}

fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}
