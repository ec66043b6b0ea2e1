//! The `openssl` program, which still does what old clients do and our library no longer does.

use std::{path::PathBuf, process::Command};

use pki::{Hash, PrivateKey, Signer, keys::KeyKind};
use tempfile::TempDir;

/// A temporary folder in which `openssl` runs, and a key in it that signs even with SHA-1.
pub struct Openssl {
    folder: TempDir,
    spki: Vec<u8>,
}

impl Openssl {
    /// With this key.
    pub fn with_key(key: &PrivateKey) -> Self {
        let openssl = Self { folder: tempfile::tempdir().unwrap(), spki: key.public_spki().to_vec() };
        openssl.write("device.key", key.to_pem().unwrap().as_bytes());
        openssl
    }

    /// Runs a command line, split at its blanks; it must succeed.
    pub fn run(&self, line: &str) -> Vec<u8> {
        let output = Command::new("openssl").args(line.split(' ')).current_dir(self.folder.path()).output();
        let output = output.expect("the openssl program is installed");
        assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Signer for Openssl {
    fn kind(&self) -> KeyKind {
        KeyKind::Rsa
    }

    fn public_spki(&self) -> &[u8] {
        &self.spki
    }

    fn sign(&self, hash: Hash, message: &[u8]) -> pki::Result<Vec<u8>> {
        let digest = if hash == Hash::Sha1 { "sha1" } else { "sha256" };
        self.write("to-be-signed", message);
        self.run(&format!("dgst -{digest} -sign device.key -out signature to-be-signed"));
        Ok(self.read("signature"))
    }
}
