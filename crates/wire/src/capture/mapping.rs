//! A capture file mapped into memory: the one place of this crate with unsafe code.

#![allow(unsafe_code, reason = "mapping a file into memory cannot be made safe by the library")]

use std::fs::File;
use std::io;
use std::ops::Deref;

#[cfg(unix)]
use memmap2::UncheckedAdvice;
use memmap2::{Advice, Mmap};

/// Bytes given back to the system at a time while a file is read from front to end.
const RELEASE_STEP: usize = 4 << 20;

/// A read-only, shared mapping of a whole file.
pub struct Mapping {
    map: Mmap,
    released: usize,
}

impl Mapping {
    /// Maps `file`.
    ///
    /// # Errors
    /// What the system says; an empty file, a pipe or some network file systems cannot be mapped.
    pub fn of(file: &File) -> io::Result<Self> {
        // SAFETY: the mapping is read-only and lives as long as the slices borrowed from it. Its bytes are only ever
        // parsed as untrusted input, so a file that another process writes to meanwhile yields odd packets and nothing
        // worse. A file that another process *truncates* while it is read ends this process with SIGBUS: no memory is
        // corrupted, and writers of captures append or rotate but do not truncate.
        let map = unsafe { Mmap::map(file)? };
        // Only a hint: reading works without.
        let _ = map.advise(Advice::Sequential);
        Ok(Mapping { map, released: 0 })
    }

    /// Says that bytes before `offset` will not be read again soon, so that a long capture does not fill the memory.
    #[cfg(unix)]
    pub fn release_before(&mut self, offset: usize) {
        let step = offset.saturating_sub(self.released) / RELEASE_STEP * RELEASE_STEP;
        if step == 0 {
            return;
        }
        // SAFETY: the mapping is shared, read-only and backed by a file: pages that are dropped here are read from the
        // file again when touched, so no slice into them changes its content.
        let _ = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, self.released, step) };
        self.released += step;
    }

    /// Says that bytes before `offset` will not be read again soon; does nothing on this system.
    #[cfg(not(unix))]
    pub fn release_before(&mut self, _offset: usize) {}
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
