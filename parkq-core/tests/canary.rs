//! What is left of a picture in the process's memory, under the system's allocator.
#![allow(clippy::unwrap_used)]

#[path = "canary/scan.rs"]
mod scan;

fn main() {
    scan::run(false);
}
