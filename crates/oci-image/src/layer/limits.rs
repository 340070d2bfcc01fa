//! How large a layer may be.

/// How large a layer may be, so that a hostile archive ends with an error (containerd GHSA-rp3h-jf77-q9p4).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries of the archive.
    pub entries: u64,
    /// Bytes of the archive after decompression.
    pub bytes: u64,
    /// Bytes of a path or of a link's target; Linux has 4096.
    pub path_length: usize,
    /// Directories above an entry.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 4_000_000,
            bytes: 1 << 40,
            path_length: 4096,
            depth: 512,
        }
    }
}
