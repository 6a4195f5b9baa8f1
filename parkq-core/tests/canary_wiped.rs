//! What is left of a picture in the process's memory, under an allocator that wipes what it frees.
#![allow(clippy::unwrap_used)]

#[path = "canary/scan.rs"]
mod scan;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() {
    scan::run(true);
}
