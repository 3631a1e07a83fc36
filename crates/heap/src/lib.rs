//! How the allocator of glibc treats freed memory, for a process that lives for months.
#![warn(missing_docs)]

/// Has glibc give memory back to the system when it is freed; call it first in `main`. Elsewhere it does nothing.
///
/// Left alone, glibc raises its threshold for blocks of their own to the size of the largest one that was freed (up to
/// 32 MiB): after the first password was hashed, blocks of megabytes come from heaps, one for each thread, which never shrink.
/// See `mallopt(3)`. Four full syncs left 175 MB in a worker before, and about 40 with this.
pub fn return_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Bytes: a block of this size or more is the system's own, and goes back to it.
        const BLOCK_OF_ITS_OWN: libc::c_int = 1024 * 1024;
        /// Bytes: so much may stay free at the end of a heap. Without a fixed threshold it would be twice the other.
        const FREE_AT_THE_END: libc::c_int = 2 * BLOCK_OF_ITS_OWN;
        /// Heaps for all threads together.
        const HEAPS: libc::c_int = 2;
        for (option, value) in [
            (libc::M_MMAP_THRESHOLD, BLOCK_OF_ITS_OWN),
            (libc::M_TRIM_THRESHOLD, FREE_AT_THE_END),
            (libc::M_ARENA_MAX, HEAPS),
        ] {
            #[expect(unsafe_code, reason = "the C library has no safe way to say it")]
            // SAFETY: takes two integers and changes options of the allocator, under its own lock. A value that it refuses
            // changes nothing.
            unsafe {
                libc::mallopt(option, value);
            }
        }
    }
}
