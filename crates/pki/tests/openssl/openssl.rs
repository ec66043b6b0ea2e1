//! The `openssl` program in a folder of its own, and what all of these tests start from.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pki::keys::{KeyKind, Signer};
use pki::{Certificate, Error, Hash, PrivateKey, Result};
use tempfile::TempDir;

/// The moment of these tests: a day in November 2026. `openssl` is told by [`Openssl::verifies`].
pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

const NOW: u64 = 1_795_000_000;

pub const DAY: Duration = Duration::from_hours(24);

/// A temporary folder in which `openssl` runs.
pub struct Openssl {
    folder: TempDir,
}

/// A key and a self-signed certificate that `openssl` made: `NAME.key` and `NAME.pem` in the folder.
pub struct Party {
    pub name: &'static str,
    pub certificate: Certificate,
}

impl Openssl {
    pub fn new() -> Self {
        Openssl { folder: tempfile::tempdir().unwrap() }
    }

    /// Runs a command line, split at its blanks; it must succeed.
    pub fn run(&self, line: &str) -> Vec<u8> {
        let output = self.output(line);
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Whether a command line, told that it is [`now`], succeeds.
    pub fn verifies(&self, line: &str) -> bool {
        let (command, options) = line.split_once(' ').unwrap();
        self.output(&format!("{command} -attime {NOW} {options}")).status.success()
    }

    pub fn output(&self, line: &str) -> Output {
        Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .expect("the openssl program is installed")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn read_text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    /// Writes a certificate and its key, for `openssl` to use as NAME.
    pub fn write_party(&self, name: &str, certificate: &Certificate, key: &PrivateKey) {
        self.write(&format!("{name}.pem"), certificate.to_pem().as_bytes());
        self.write(&format!("{name}.key"), key.to_pem().unwrap().as_bytes());
    }

    pub fn rsa(&self, name: &'static str) -> Party {
        self.party(name, "rsa:2048")
    }

    pub fn ec(&self, name: &'static str, curve: &str) -> Party {
        self.party(name, &format!("ec -pkeyopt ec_paramgen_curve:{curve}"))
    }

    fn party(&self, name: &'static str, kind: &str) -> Party {
        let subject = format!("/CN={name}/O=Example");
        self.run(&format!(
            "req -x509 -newkey {kind} -nodes -keyout {name}.key -out {name}.pem -subj {subject} -days 9"
        ));
        Party { name, certificate: Certificate::from_pem(&self.read_text(&format!("{name}.pem"))).unwrap() }
    }

    pub fn key(&self, party: &Party) -> PrivateKey {
        PrivateKey::from_pem(&self.read_text(&format!("{}.key", party.name))).unwrap()
    }
}

/// Lets `openssl` sign: it still makes the RSA signatures with SHA-1 that old clients send.
pub struct OldSigner<'a> {
    openssl: &'a Openssl,
    name: &'static str,
    spki: Vec<u8>,
}

impl<'a> OldSigner<'a> {
    pub fn new(openssl: &'a Openssl, party: &Party) -> Self {
        OldSigner { openssl, name: party.name, spki: party.certificate.public_key_spki().to_vec() }
    }
}

impl Signer for OldSigner<'_> {
    fn kind(&self) -> KeyKind {
        KeyKind::Rsa
    }

    fn public_spki(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, hash: Hash, message: &[u8]) -> Result<Vec<u8>> {
        let digest = match hash {
            Hash::Sha1 => "sha1",
            Hash::Sha256 => "sha256",
            _ => return Err(Error::Unsupported("digest")),
        };
        self.openssl.write("to-be-signed", message);
        self.openssl.run(&format!("dgst -{digest} -sign {}.key -out signature to-be-signed", self.name));
        Ok(self.openssl.read("signature"))
    }
}
