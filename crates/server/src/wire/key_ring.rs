//! The key ring's file: mode 0600, beside the database or wherever its owner keeps it.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};
use pki::KeyRing;

/// Reads the key ring; makes one if there is none and the database holds no secrets yet.
///
/// # Errors
/// Where the file cannot be read, or is missing although the database has secrets.
pub fn open(path: &Path, may_make: bool) -> Result<KeyRing> {
    match std::fs::read_to_string(path) {
        Ok(text) => KeyRing::from_json(&text)
            .with_context(|| format!("the key ring {} cannot be read", path.display())),
        Err(error) if error.kind() == ErrorKind::NotFound && may_make => make(path),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "the key ring {} is missing, and without it the database's secrets cannot be opened: copy it from the node \
             or the backup that this database comes from",
            path.display()
        ),
        Err(error) => Err(error).with_context(|| format!("the key ring {} cannot be read", path.display())),
    }
}

fn make(path: &Path) -> Result<KeyRing> {
    let ring = KeyRing::generate()?;
    match write(path, ring.to_json().as_bytes()) {
        Ok(()) => Ok(ring),
        // Another process made it at the same moment.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => open(path, false),
        Err(error) => {
            Err(error).with_context(|| format!("the key ring {} cannot be written", path.display()))
        }
    }
}

/// Puts `ring` in the place of the file that is there: as a whole or not at all, whenever the program is killed.
///
/// # Errors
/// Where the file cannot be written; the one of before stays.
pub fn replace(path: &Path, ring: &KeyRing) -> Result<()> {
    let put = || {
        whole(path, ring.to_json().as_bytes())?.persist(path)?;
        synced(path)
    };
    put().with_context(|| format!("the key ring {} cannot be written", path.display()))
}

/// Makes the file whole or not at all, whenever the program is killed; one that is there already stays.
fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    whole(path, content)?.persist_noclobber(path)?;
    synced(path)
}

/// A file beside `path` that holds all of `content`; its mode is 0600 from the beginning.
fn whole(path: &Path, content: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix(".key-ring-").tempfile_in(folder(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// A file that was just made may vanish in a power cut until its folder is synced.
fn synced(path: &Path) -> std::io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_key_ring_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key-ring.json");
        let made = open(&path, true).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let sealed = made.seal("here", b"secret").unwrap();
        assert_eq!(open(&path, false).unwrap().open("here", &sealed).unwrap().to_vec(), b"secret");
    }

    #[test]
    fn a_key_ring_that_is_there_stays_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key-ring.json");
        let sealed = open(&path, true).unwrap().seal("here", b"secret").unwrap();
        assert!(write(&path, b"{}").is_err_and(|error| error.kind() == ErrorKind::AlreadyExists));
        assert_eq!(make(&path).unwrap().open("here", &sealed).unwrap().to_vec(), b"secret");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_ring_that_is_replaced_is_still_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key-ring.json");
        let mut ring = open(&path, true).unwrap();
        ring.rotate().unwrap();
        replace(&path, &ring).unwrap();
        assert_eq!(open(&path, false).unwrap().versions(), [1, 2]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_database_with_secrets_does_not_get_a_new_ring() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(&folder.path().join("key-ring.json"), false).unwrap_err();
        assert!(error.to_string().contains("is missing"));
    }
}
