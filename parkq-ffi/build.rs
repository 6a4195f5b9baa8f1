//! An object of tract's assembly lacks the note that it needs no executable stack: without this
//! flag the library would ask for one.
#![allow(clippy::print_stdout)] // it speaks to cargo

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,noexecstack");
    }
}
