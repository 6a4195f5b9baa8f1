//! Programs in C and C++ against the header and the libraries, as users compile them.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout
)]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parkq_core::{Lot, Pipeline, RawFrame};
use serde_json::Value;

const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Where cargo puts libparkq.so and libparkq.a for these tests.
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn run(command: &mut Command) -> String {
    let output =
        command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Compiles a program of the repository against the shared library.
fn compile(compiler: &str, arguments: &[&str], source: &str) -> PathBuf {
    let stem = Path::new(source).file_stem().and_then(OsStr::to_str).unwrap();
    let name = format!("{stem}{}", arguments.join("").replace(['=', '+', '/'], "_"));
    let program = libraries().join(format!("parkq-{name}"));
    let mut command = Command::new(compiler);
    command.args(WARNINGS).args(["-O1", "-pthread"]).args(arguments);
    if compiler.ends_with("++") {
        command.args(["-x", "c++"]);
    }
    command.arg(root().join(source)).args(["-x", "none", "-o"]).arg(&program);
    command.arg("-I").arg(root().join("include")).arg("-L").arg(libraries());
    command.arg(format!("-Wl,-rpath,{}", libraries().display())).arg("-lparkq");
    run(&mut command);
    program
}

/// Whether the compiler knows a standard.
fn knows(compiler: &str, standard: &str) -> bool {
    let mut command = Command::new(compiler);
    command.args([standard, "-x", if compiler.ends_with("++") { "c++" } else { "c" }]);
    command.args(["-fsyntax-only", "/dev/null"]).stderr(Stdio::null());
    command.status().unwrap().success()
}

/// One source compiles without a warning in every C and C++ of the last 25 years, and runs in the
/// oldest of each and the newest: what is between calls the same functions.
#[test]
fn smoke_in_every_standard() {
    for (compiler, standards) in [
        ("cc", ["-std=c99", "-std=c11", "-std=c17", "-std=c23"]),
        ("c++", ["-std=c++11", "-std=c++14", "-std=c++17", "-std=c++20"]),
    ] {
        for (i, standard) in standards.into_iter().enumerate() {
            // GCC 13 and before call it by its working title.
            let standard = if knows(compiler, standard) { standard } else { "-std=c2x" };
            let program = compile(compiler, &[standard], "parkq-ffi/tests/c/smoke.c");
            if i == 0 || i == standards.len() - 1 {
                run(&mut Command::new(program));
            }
        }
    }
}

/// A library does not write to standard error either, whatever is done to it.
#[test]
fn misuse_is_a_status() {
    let program = compile("cc", &["-std=c99"], "parkq-ffi/tests/c/misuse.c");
    let output = Command::new(program).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}\n{said}", output.status);
}

#[test]
fn threads_share_one_pipeline() {
    run(&mut Command::new(compile("cc", &["-std=c11"], "parkq-ffi/tests/c/threads.c")));
}

#[test]
#[cfg(target_os = "linux")]
fn memory_is_what_the_header_says() {
    let program = compile("cc", &["-std=gnu99"], "parkq-ffi/tests/c/memory.c");
    let said = run(&mut Command::new(program));
    assert!(said.contains("parkq_estimator_occupancy: took"), "{said}");
}

/// The file of expectations that Rust, C and Python share.
#[test]
fn expectations_hold_in_c() {
    let data = root().join("examples/data");
    let read = |name: &str| std::fs::read(data.join(name)).unwrap();
    let all: Value = serde_json::from_slice(&read("expectations.json")).unwrap();
    let program = compile("cc", &["-std=c99"], "parkq-ffi/tests/c/expect.c");

    // The record is the core's own, to the last digit; the core's is held against the file.
    let file = |key: &str| all["scene"][key].as_str().unwrap();
    let lot = Lot::from_json(std::str::from_utf8(&read(file("lot"))).unwrap()).unwrap();
    let frame = RawFrame::decode(&read(file("picture"))).unwrap();
    let expected = Pipeline::bundled(lot).unwrap().process(frame).unwrap().occupancy.to_json();
    let paths = [data.join(file("picture")), data.join(file("lot"))];
    assert_eq!(run(Command::new(&program).args(paths)), expected);

    let (mut tasks, mut cases) = (String::new(), Vec::new());
    let formats = ["RGB8", "BGR8", "RGBA8", "BGRA8", "GRAY8", "NV12", "NV21", "I420", "YUYV"];
    for (group, groups_cases) in all["errors"].as_object().unwrap() {
        for case in groups_cases.as_array().unwrap() {
            let text = |key: &str| case[key].as_str().unwrap();
            tasks += &match group.as_str() {
                "lots" => format!("lot {}\n", text("json")),
                "models" => format!("model {}\n", text("text")),
                "pictures" => format!("picture {}\n", text("text")),
                "options" => {
                    let options = case["options"].as_object().unwrap();
                    let options = options.iter().map(|(name, value)| format!(" {name}={value}"));
                    format!("options{}\n", options.collect::<String>())
                }
                "buffers" => {
                    let format = formats.iter().position(|f| *f == text("format")).unwrap() + 1;
                    let (w, h, n) = (&case["width"], &case["height"], &case["length"]);
                    format!("buffer {format} {w} {h} {n}\n")
                }
                _ => continue, // of verbs that this program does not speak of
            };
            cases.push(case);
        }
    }
    let mut child =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(tasks.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), cases.len());
    for (answer, case) in answers.lines().zip(cases) {
        let (status, message) = answer.split_once('\t').unwrap();
        assert_eq!(case["kind"], status, "{case}");
        assert!(message.starts_with(case["message"].as_str().unwrap()), "{message}: {case}");
    }
}

/// The examples compile without a warning; those that need no camera run.
#[test]
fn examples_run() {
    let said = run(&mut Command::new(compile("cc", &["-std=c99"], "examples/c/occupancy.c")));
    assert!(said.contains("A2 ") && said.contains(" free, "), "{said}");
    let said = run(&mut Command::new(compile("cc", &["-std=c99"], "examples/c/anonymize.c")));
    assert!(said.contains(" regions destroyed"), "{said}");
    #[cfg(target_os = "linux")]
    compile("cc", &["-std=c99"], "examples/c/v4l2.c");
}

/// The commands of README's C quick start, in a shell, with the libraries of this build.
#[test]
fn the_readmes_link_line_is_true() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("## Quick start in C").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let block = block.replace("\\\n", "");
    let line = block.lines().find(|line| line.starts_with("cc ")).unwrap();
    let program = libraries().join("parkq-readme");
    let line = line
        .replace("target/release", libraries().to_str().unwrap())
        .replace("-o occupancy", &format!("-o {}", program.display()));
    run(Command::new("sh").args(["-c", &line]).current_dir(root()));
    run(&mut Command::new(program));
}

/// Whether a program is there; says so if it is not.
#[cfg(target_os = "linux")]
fn present(program: &str, arguments: &[&str]) -> bool {
    let there = Command::new(program).args(arguments).output().is_ok_and(|o| o.status.success());
    if !there {
        println!("skipped: no {program} {}", arguments.join(" "));
    }
    there
}

/// Builds the examples by their Makefile, with the parkq.pc of a folder, and runs one.
#[cfg(target_os = "linux")]
fn make_examples(name: &str, pkgconfig: &Path, library: &Path) {
    let folder = libraries().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["Makefile", "occupancy.c", "anonymize.c", "v4l2.c"] {
        std::fs::copy(root().join("examples/c").join(file), folder.join(file)).unwrap();
    }
    let mut make = Command::new("make");
    make.arg("-C").arg(&folder).arg("--always-make").env("PKG_CONFIG_PATH", pkgconfig);
    run(make.env_remove("MAKEFLAGS"));
    run(Command::new(folder.join("occupancy")).env("LD_LIBRARY_PATH", library));
}

/// The Makefile needs no more than a parkq.pc.
#[test]
#[cfg(target_os = "linux")]
fn the_makefile_builds_the_examples() {
    if !present("make", &["--version"]) || !present("pkg-config", &["--version"]) {
        return;
    }
    let folder = libraries().join("parkq-pkgconfig");
    std::fs::create_dir_all(&folder).unwrap();
    let (include, library) = (root().join("include"), libraries());
    let text = format!(
        "Name: parkq\nDescription: parkq\nVersion: 0\nCflags: -I{}\nLibs: -L{} -lparkq\n",
        include.display(),
        library.display()
    );
    std::fs::write(folder.join("parkq.pc"), text).unwrap();
    make_examples("parkq-make", &folder, &library);
}

/// What cargo-c installs is all that a program needs: by pkg-config, shared and static, by the
/// Makefile and by CMake.
#[test]
#[cfg(target_os = "linux")]
fn cargo_c_installs_it() {
    if !present(env!("CARGO"), &["cinstall", "--version"]) {
        return;
    }
    let prefix = libraries().join("parkq-cinstall");
    let _ = std::fs::remove_dir_all(&prefix);
    let mut install = Command::new(env!("CARGO"));
    install.args(["cinstall", "--locked", "-p", "parkq-ffi", "--libdir", "lib", "--prefix"]);
    run(install.arg(&prefix).current_dir(root()));
    for file in ["include/parkq.h", "lib/libparkq.so", "lib/libparkq.a", "lib/pkgconfig/parkq.pc"] {
        assert!(prefix.join(file).exists(), "{file} is missing");
    }
    let (pkgconfig, library) = (prefix.join("lib/pkgconfig"), prefix.join("lib"));
    make_examples("parkq-cinstall-make", &pkgconfig, &library);
    // The line of parkq-ffi/README.md.
    let readme = std::fs::read_to_string(root().join("parkq-ffi/README.md")).unwrap();
    for line in readme.lines().filter(|line| line.starts_with("cc ")) {
        let program = prefix.join("program");
        let line = line.replace("-o occupancy", &format!("-o {}", program.display()));
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(root()).env("PKG_CONFIG_PATH", &pkgconfig);
        run(&mut shell);
        run(Command::new(program).env("LD_LIBRARY_PATH", &library));
    }
    build_with_cmake(&prefix);
}

/// `find_package(parkq)` works with the files as they are installed.
#[test]
#[cfg(target_os = "linux")]
fn cmake_finds_the_package() {
    if !present("cmake", &["--version"]) {
        return;
    }
    let prefix = libraries().join("parkq-prefix");
    let copy = |from: PathBuf, to: &str| {
        let to = prefix.join(to).join(from.file_name().unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    };
    copy(root().join("include/parkq.h"), "include");
    copy(libraries().join("libparkq.so"), "lib");
    copy(libraries().join("libparkq.a"), "lib");
    for file in ["parkq-config.cmake", "parkq-config-version.cmake"] {
        copy(root().join("parkq-ffi/cmake").join(file), "share/cmake/parkq");
    }
    build_with_cmake(&prefix);
}

/// Builds the examples by CMake, with what is installed under a prefix, and runs one.
#[cfg(target_os = "linux")]
fn build_with_cmake(prefix: &Path) {
    let build = prefix.join("build");
    // What another version of CMake left there is none of this one's.
    let _ = std::fs::remove_dir_all(&build);
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(root().join("examples/c")).arg("-B").arg(&build);
    run(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(Command::new("cmake").arg("--build").arg(&build));
    run(&mut Command::new(build.join("occupancy")));
}

/// The library wipes what it frees: a decoded PNG, and what the networks made of it.
#[test]
#[cfg(target_os = "linux")]
fn nothing_of_a_picture_is_left() {
    let (width, height) = (896, 96);
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let pixels: Vec<u8> = (0..width * height * 3).map(|_| noise()).collect();
    let path = libraries().join("parkq-noise.png");
    image::save_buffer(&path, &pixels, width, height, image::ColorType::Rgb8).unwrap();
    let program = compile("cc", &["-std=c99", "-O2"], "parkq-ffi/tests/c/wipe.c");
    run(Command::new(program).arg(path));
}

/// Compiles a program against the static library, with sanitizers or without.
fn compile_static(program: &str, arguments: &[&str]) -> PathBuf {
    let path = libraries().join(format!("parkq-{program}-static{}", arguments.len()));
    let mut command = Command::new("cc");
    command.args(["-std=c11", "-g", "-O1"]).args(arguments).arg("-o").arg(&path);
    command.arg(root().join(format!("parkq-ffi/tests/c/{program}.c")));
    command.arg("-I").arg(root().join("include")).arg(libraries().join("libparkq.a"));
    run(command.args(["-Wl,-z,noexecstack", "-lm", "-lpthread", "-ldl"]));
    path
}

fn frames(default: &str) -> String {
    std::env::var("PARKQ_FRAMES").unwrap_or_else(|_| default.to_owned())
}

/// The tiny models that frames.c asks for.
#[cfg(target_os = "linux")]
fn tiny_models() -> [PathBuf; 3] {
    let data = root().join("parkq-core/tests/data");
    ["bright", "space", "not-a-number"].map(|name| data.join(format!("{name}.onnx")))
}

/// No leak, no access out of bounds, no undefined behaviour on C's side of the interface.
#[test]
#[cfg(target_os = "linux")]
fn sanitizers_find_nothing() {
    let arguments = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    for program in ["smoke", "misuse", "threads"] {
        run(Command::new(compile_static(program, &arguments)).arg(frames("20")));
    }
    let program = compile_static("frames", &arguments);
    run(Command::new(program).arg(frames("1000")).args(tiny_models()));
}

/// Runs a program under valgrind, which finds leaks and the use of unwritten memory.
#[cfg(target_os = "linux")]
fn under_valgrind(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
    if !present("valgrind", &["--version"]) {
        return;
    }
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=1", "--leak-check=full"]);
    valgrind.arg("--errors-for-leak-kinds=definite,indirect,possible");
    run(valgrind.arg(compile_static(program, &[])).args(arguments));
}

/// Everything once. Tests start in the order of their names, and this one and the next take as long
/// as all others together: they are among the first.
#[test]
#[cfg(target_os = "linux")]
fn clean_under_valgrind() {
    under_valgrind("smoke", [frames("1")]);
}

/// A thousand frames, with networks so tiny that this is possible.
#[test]
#[cfg(target_os = "linux")]
fn clean_under_valgrind_for_long() {
    let arguments = [frames("1000").into()].into_iter().chain(tiny_models());
    under_valgrind("frames", arguments);
}
