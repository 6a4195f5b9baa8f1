//! include/parkq.h is what cbindgen makes of the crate, and says what is true of it.
#![allow(clippy::unwrap_used, clippy::disallowed_types, clippy::disallowed_methods)]

use std::collections::BTreeSet;
use std::path::Path;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    let path = Path::new(CRATE).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Nobody edits the header by hand. `PARKQ_BLESS=1 cargo test -p parkq-ffi --test header` writes
/// it anew.
#[test]
fn the_header_is_generated() {
    let config = cbindgen::Config::from_file(Path::new(CRATE).join("cbindgen.toml")).unwrap();
    let bindings =
        cbindgen::Builder::new().with_crate(CRATE).with_config(config).generate().unwrap();
    let mut made = Vec::new();
    bindings.write(&mut made);
    let made = String::from_utf8(made).unwrap();
    // Rust's own section on safety says nothing to a C programmer.
    let safety = "\n *\n * # Safety\n";
    let made: String = made
        .split("/**")
        .enumerate()
        .map(|(i, part)| {
            let cut = part.find(safety).map_or_else(
                || part.to_owned(),
                |at| format!("{}\n */{}", &part[..at], part.split_once("*/").unwrap().1),
            );
            if i == 0 { cut } else { format!("/**{cut}") }
        })
        .collect();
    if std::env::var_os("PARKQ_BLESS").is_some() {
        std::fs::write(Path::new(CRATE).join("../include/parkq.h"), &made).unwrap();
    }
    assert!(made == read("include/parkq.h"), "include/parkq.h is not what cbindgen makes");
}

/// The names of the functions that the header declares.
fn functions() -> BTreeSet<String> {
    let header = read("include/parkq.h");
    let code = header.split("*/").map(|part| part.split("/*").next().unwrap());
    let code: String = code.collect::<Vec<_>>().join(" ");
    let names = code.split('(').filter_map(|before| {
        let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        name.starts_with("parkq_").then(|| name.to_owned())
    });
    names.collect()
}

/// A program that is compiled against the header finds out which it was.
#[test]
fn the_header_has_the_crates_version() {
    let header = read("include/parkq.h");
    for (name, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        assert!(header.contains(&format!("#define PARKQ_VERSION_{name} {value}\n")), "{name}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let cmake = read("parkq-ffi/cmake/parkq-config-version.cmake");
    assert!(cmake.contains(&format!("set(PACKAGE_VERSION \"{version}\")")));
}

/// The NULL test names every function, so that none is forgotten.
#[test]
fn every_function_meets_null() {
    let program = read("parkq-ffi/tests/c/misuse.c");
    let forgotten: Vec<_> =
        functions().into_iter().filter(|name| !program.contains(&format!("{name}("))).collect();
    assert!(forgotten.is_empty(), "not in misuse.c: {forgotten:?}");
}

/// The shared library exports what the header declares, and nothing else.
#[test]
#[cfg(target_os = "linux")]
fn only_parkq_symbols_are_exported() {
    let deps = std::env::current_exe().unwrap().parent().unwrap().join("libparkq.so");
    let output = std::process::Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(deps)
        .output()
        .unwrap();
    assert!(output.status.success());
    let symbols = String::from_utf8(output.stdout).unwrap();
    let mut exported: BTreeSet<_> =
        symbols.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    exported.remove("parkq_test_panic");
    assert_eq!(exported, functions());
}

/// The library asks for no executable stack.
#[test]
#[cfg(target_os = "linux")]
fn the_stack_is_not_executable() {
    let library = std::env::current_exe().unwrap().parent().unwrap().join("libparkq.so");
    let output = std::process::Command::new("readelf").arg("-lW").arg(library).output().unwrap();
    let segments = String::from_utf8(output.stdout).unwrap();
    let stack = segments.lines().find(|line| line.contains("GNU_STACK")).unwrap();
    assert!(stack.contains(" RW "), "{stack}");
}
