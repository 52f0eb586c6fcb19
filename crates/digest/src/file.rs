//! Checksums of whole files, as archives keep them.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How the checksum of a file is computed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileAlgorithm {
    /// SHA-256 (FIPS 180-4), what `sha256sum` prints.
    Sha256,
    /// BLAKE3 with 256 bits, what `b3sum` prints; about four times as fast.
    Blake3,
}

impl FileAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Blake3];

    /// What stands for it in metadata and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The checksum of `len` bytes in lower-case hexadecimal digits. `read` fills a buffer with the bytes from an
    /// offset on; it is called from the front to the back.
    ///
    /// # Errors
    /// What `read` fails with.
    pub fn checksum<E>(
        self,
        len: u64,
        read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<String, E> {
        let mut hasher = match self {
            Self::Sha256 => Hasher::Sha256(Sha256::new()),
            Self::Blake3 => Hasher::Blake3(Box::default()),
        };
        pieces(len, read, |piece| hasher.add(piece))?;
        Ok(hasher.finish())
    }
}

enum Hasher {
    Sha256(Sha256),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Sha256(hasher) => crate::hex(&hasher.finalize()),
            Self::Blake3(hasher) => hasher.finalize().to_hex().to_string(),
        }
    }
}

/// Reads `len` bytes in pieces.
fn pieces<E>(
    len: u64,
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
    mut each: impl FnMut(&[u8]),
) -> Result<(), E> {
    let mut buffer = vec![0; PIECE.min(len) as usize];
    let mut at = 0;
    while at < len {
        let piece = &mut buffer[..PIECE.min(len - at) as usize];
        read(at, piece)?;
        each(piece);
        at += piece.len() as u64;
    }
    Ok(())
}

/// Bytes that are read at a time.
const PIECE: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_usual_programs() {
        let of = |algorithm: FileAlgorithm, bytes: &[u8]| {
            let read = |at: u64, out: &mut [u8]| {
                out.copy_from_slice(&bytes[at as usize..][..out.len()]);
                Ok::<(), ()>(())
            };
            algorithm.checksum(bytes.len() as u64, read).unwrap()
        };
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of(FileAlgorithm::Sha256, b""), empty);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(of(FileAlgorithm::Sha256, b"abc"), abc);
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(of(FileAlgorithm::Blake3, b""), empty);
        // Longer than a piece, and not a multiple of it.
        let long: Vec<u8> = (0..2_500_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        assert_eq!(of(FileAlgorithm::Blake3, &long), blake3::hash(&long).to_hex().as_str());
        assert_eq!(of(FileAlgorithm::Sha256, &long), crate::hex(&Sha256::digest(&long)));
        for algorithm in FileAlgorithm::ALL {
            assert_eq!(FileAlgorithm::from_name(algorithm.name()), Some(algorithm));
        }
    }
}
