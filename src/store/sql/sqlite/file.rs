//! The file under the database: private, and on a disk of this machine.

use super::copy;
use crate::store::StoreError;
use rustix::fs::{StatFs, statfs};
use std::{
    fs::{OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// File systems whose locks and shared memory another machine does not see, by their magic numbers in `statfs(2)`. FUSE is told apart by
/// nothing here: an sshfs and a local overlay look alike, and WAL needs shared memory, which sshfs refuses by itself.
const NETWORKED: [(u64, &str); 8] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x5346_414f, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
];

/// FUSE: refused when the mount table names a file system that reaches another machine.
const FUSE: u64 = 0x6573_5546;
const FUSE_NETWORKED: [&str; 6] = ["sshfs", "s3fs", "rclone", "glusterfs", "davfs", "gcsfuse"];

/// Refuses a network file system, then creates the file with mode 0600 unless it is there. SQLite gives the files beside it the same mode.
pub(in crate::store::sql) fn prepare(path: &Path) -> Result<(), StoreError> {
    prepare_folder(path)?;
    private(path).map_err(|error| at(path, &error))
}

/// Refuses a network file system.
pub(super) fn prepare_folder(path: &Path) -> Result<(), StoreError> {
    let folder = copy::folder(path);
    let found = statfs(folder).map_err(|error| at(folder, &error.into()))?;
    if let Some(name) = networked(&found, folder) {
        return Err(StoreError::Unavailable(format!(
            "{} is on a network file system ({name}), where SQLite cannot keep its promises; choose a home on a local disk",
            folder.display()
        )));
    }
    Ok(())
}

/// Makes `path` exist, for its owner alone, whatever the umask.
pub(in crate::store::sql) fn private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

fn at(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

fn networked(found: &StatFs, folder: &Path) -> Option<String> {
    // The type of `f_type` differs by platform; the numbers are of 32 bits everywhere.
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_sign_loss,
        reason = "signed here, unsigned there"
    )]
    let magic = (found.f_type as u64) & 0xffff_ffff;
    if magic == FUSE {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        return fuse_networked(&mounts, &folder);
    }
    by_magic(magic).map(str::to_owned)
}

fn by_magic(magic: u64) -> Option<&'static str> {
    NETWORKED
        .iter()
        .find(|(known, _)| *known == magic)
        .map(|(_, name)| *name)
}

/// The type of the mount that `folder` lies in, if it reaches another machine. Lines read `device point type options 0 0`.
fn fuse_networked(mounts: &str, folder: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            // The table writes a blank in a path as \040.
            let point = words.next()?.replace("\\040", " ");
            let kind = words.next()?;
            folder
                .starts_with(&point)
                .then(|| (point.len(), kind.to_owned()))
        })
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
        .filter(|kind| FUSE_NETWORKED.iter().any(|name| kind.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_number_or_their_mount() {
        assert_eq!(by_magic(0x6969), Some("NFS"));
        assert_eq!(by_magic(0xef53), None, "ext4");
        let mounts = "/dev/sda1 / ext4 rw 0 0\nme@far:/ /home/me/far\\040away fuse.sshfs rw 0 0\n/x /home/me fuse.portal rw 0 0\n";
        let far = fuse_networked(mounts, Path::new("/home/me/far away/eyas"));
        assert_eq!(far.as_deref(), Some("fuse.sshfs"));
        assert_eq!(fuse_networked(mounts, Path::new("/home/me/eyas")), None);
    }

    #[test]
    fn the_file_is_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("eyas.db");
        prepare(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
