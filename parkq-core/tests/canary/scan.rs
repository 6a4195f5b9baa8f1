//! A picture of known blocks goes through the pipeline, which succeeds, fails or panics; then the
//! process's own memory (`/proc/self/mem`, Linux) is searched for rows of those blocks: as pixels,
//! as a plane of luma, as a plane of floats such as the networks read. The caller's own buffer,
//! when it is lent, is part of what is searched.
//!
//! Encoded pictures are made by a second process, so that the encoder's memory is not this one's.
#![allow(clippy::disallowed_types, clippy::print_stdout)] // a program, not the library

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use memchr::memmem;
use parkq_core::{
    Anonymizer, Estimator, EstimatorOptions, FrameMut, Lot, Pipeline, PipelineOptions, PixelFormat,
    Quad, RawFrame, Space, Stage,
};

/// So wide that the detector reads it as it is: its longer side is that of the finest level.
const SIZE: [u32; 2] = [896, 160];
const CODECS: [(&str, image::ImageFormat); 3] = [
    ("jpeg", image::ImageFormat::Jpeg),
    ("png", image::ImageFormat::Png),
    ("webp", image::ImageFormat::WebP),
];
/// Where the rows that are searched for begin, blocks.
const ROWS: [[u32; 2]; 3] = [[3, 2], [40, 9], [65, 17]];
/// Pixels of a row that are searched for: random bytes, eight times each.
const RUN: u32 = 64;

/// The gray of a pixel: one for each block of 8 x 8, so that a JPEG keeps it exactly.
fn gray(x: u32, y: u32) -> u8 {
    let block = (u64::from(y / 8) << 32 | u64::from(x / 8)) + 1;
    // splitmix64: G. Steele et al., OOPSLA 2014.
    let z = block.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    20 + ((z ^ z >> 27) >> 33) as u8 % 200
}

/// The picture's bytes, or a row of them, in a format; nothing else is allocated.
fn write(format: PixelFormat, out: &mut Vec<u8>) {
    let [w, h] = SIZE;
    let pixels = (0..h).flat_map(|y| (0..w).map(move |x| (x, y)));
    pixels.for_each(|(x, y)| pixel(format, gray(x, y), out));
    if matches!(format, PixelFormat::Nv12 | PixelFormat::Nv21 | PixelFormat::I420) {
        out.resize(out.len() * 3 / 2, 128);
    }
}

fn pixel(format: PixelFormat, gray: u8, out: &mut Vec<u8>) {
    match format {
        PixelFormat::Rgb8 | PixelFormat::Bgr8 => out.extend([gray; 3]),
        PixelFormat::Rgba8 | PixelFormat::Bgra8 => out.extend([gray, gray, gray, 255]),
        PixelFormat::Yuyv => out.extend([gray, 128]),
        _ => out.push(gray),
    }
}

/// One row, as it would lie in memory.
struct Needle {
    what: &'static str,
    bytes: Vec<u8>,
}

/// The rows as pixels, as luma (a plane of it, or gray), and as floats. They are made once and
/// kept: a freed one would be found.
fn needles() -> Vec<Needle> {
    let mut needles = Vec::new();
    for [column, row] in ROWS {
        let grays = || (0..RUN).map(move |x| gray(8 * column + x, 8 * row));
        for (what, format) in [
            ("RGB", PixelFormat::Rgb8),
            ("RGBA", PixelFormat::Rgba8),
            ("YUYV", PixelFormat::Yuyv),
            ("luma", PixelFormat::Gray8),
        ] {
            let mut bytes = Vec::with_capacity(4 * RUN as usize);
            grays().for_each(|gray| pixel(format, gray, &mut bytes));
            needles.push(Needle { what, bytes });
        }
        let mut bytes = Vec::with_capacity(4 * RUN as usize);
        grays().for_each(|gray| bytes.extend(f32::from(gray).to_ne_bytes()));
        needles.push(Needle { what: "floats", bytes });
    }
    needles
}

/// Searches all memory that this process can write, but the needles and the search's own buffer:
/// what was found, and in which mapping.
fn search(needles: &[Needle], buffer: &mut [u8]) -> Vec<String> {
    let mut maps = String::new();
    File::open("/proc/self/maps").unwrap().read_to_string(&mut maps).unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let address = |bytes: &[u8]| bytes.as_ptr() as u64;
    let own = address(buffer)..address(buffer) + buffer.len() as u64;
    let longest = needles.iter().map(|needle| needle.bytes.len()).max().unwrap();
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        let name = fields.nth(3).unwrap_or("anonymous");
        if !rights.starts_with("rw") || name.starts_with("[v") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [mut start, end] = [start, end].map(|hex| u64::from_str_radix(hex, 16).unwrap());
        while start < end {
            let length = ((end - start) as usize).min(buffer.len());
            memory.seek(SeekFrom::Start(start)).unwrap();
            if memory.read_exact(&mut buffer[..length]).is_err() {
                break;
            }
            for needle in needles {
                for at in memmem::find_iter(&buffer[..length], &needle.bytes) {
                    let at = start + at as u64;
                    let is_needle = needles.iter().any(|n| {
                        (address(&n.bytes)..address(&n.bytes) + n.bytes.capacity() as u64)
                            .contains(&at)
                    });
                    if !is_needle && !own.contains(&at) {
                        found.push(format!("{} in {name}", needle.what));
                    }
                }
            }
            if length < buffer.len() {
                break;
            }
            start += (length - longest) as u64;
        }
    }
    buffer.fill(0);
    found.sort();
    found.dedup();
    found
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Succeeds,
    Fails,
    Panics(Stage),
}

fn lot() -> Lot {
    let quad = Quad::from([[0.3, 0.2], [0.5, 0.2], [0.5, 0.8], [0.3, 0.8]]);
    Lot::new([Space::new("A", quad)]).unwrap()
}

/// A pipeline whose estimator answers what is not a number: the last weight of its network, the
/// one of four bytes (field 9 of an ONNX TensorProto, `raw_data`), is all ones.
fn broken() -> Pipeline {
    let mut onnx = parkq_models::SPACE_CLASSIFIER.onnx.to_vec();
    let at = onnx.windows(2).rposition(|field| field == [0x4A, 4]).unwrap();
    onnx[at + 2..at + 6].fill(0xFF);
    let estimator =
        Estimator::from_onnx("broken", &onnx, lot(), EstimatorOptions::default()).unwrap();
    let anonymizer = Anonymizer::bundled().unwrap();
    Pipeline::new(estimator, anonymizer, PipelineOptions::default()).unwrap()
}

/// Runs a frame through the pipeline to the end that it is to have.
fn process(whole: &Pipeline, broken: &Pipeline, end: End, frame: RawFrame) {
    let pipeline = if end == End::Fails { broken } else { whole };
    let observer = &mut |stage| assert_ne!(End::Panics(stage), end, "on purpose");
    let result = catch_unwind(AssertUnwindSafe(|| pipeline.process_with(frame, observer)));
    check(end, result.map(|result| result.map(|_| ())));
}

/// The same, in a buffer of ours, which stays: it is black unless all went well.
fn process_in_place(
    whole: &Pipeline,
    broken: &Pipeline,
    end: End,
    format: PixelFormat,
    lent: &mut [u8],
) {
    let pipeline = if end == End::Fails { broken } else { whole };
    let observer = &mut |stage| assert_ne!(End::Panics(stage), end, "on purpose");
    let frame = FrameMut::packed(format, SIZE[0], SIZE[1], lent).unwrap();
    let result = catch_unwind(AssertUnwindSafe(|| pipeline.process_in_place_with(frame, observer)));
    check(end, result.map(|result| result.map(|_| ())));
}

fn check(end: End, result: std::thread::Result<parkq_core::Result<()>>) {
    match (end, result) {
        (End::Succeeds, Ok(Ok(()))) | (End::Fails, Ok(Err(_))) | (End::Panics(_), Err(_)) => {}
        (end, result) => panic!("{end:?} is wanted, this came: {result:?}"),
    }
}

/// Writes the picture, encoded, to the standard output.
fn encode(codec: &str) {
    let (_, codec) = *CODECS.iter().find(|(name, _)| *name == codec).unwrap();
    let picture = image::RgbImage::from_fn(SIZE[0], SIZE[1], |x, y| image::Rgb([gray(x, y); 3]));
    let mut bytes = Cursor::new(Vec::new());
    if codec == image::ImageFormat::Jpeg {
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100)
            .encode_image(&picture)
            .unwrap();
    } else {
        picture.write_to(&mut bytes, codec).unwrap();
    }
    std::io::stdout().write_all(&bytes.into_inner()).unwrap();
}

/// Whether the search finds what a network is shown, while it is shown it.
fn finds_tensors(needles: &[Needle], buffer: &mut [u8]) -> bool {
    let (pipeline, found) =
        (Pipeline::bundled(Lot::new([]).unwrap()).unwrap(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !found.load(Ordering::Relaxed) {
                let mut pixels = Vec::with_capacity((SIZE[0] * SIZE[1]) as usize);
                write(PixelFormat::Gray8, &mut pixels);
                let raw = RawFrame::from_pixels(PixelFormat::Gray8, SIZE[0], SIZE[1], pixels);
                pipeline.process(raw.unwrap()).unwrap();
            }
        });
        let shown = |_| search(needles, buffer).iter().any(|what| what.starts_with("floats"));
        let once = catch_unwind(AssertUnwindSafe(|| (0..1000).any(shown)));
        found.store(true, Ordering::Relaxed);
        once.unwrap()
    })
}

/// Every case; `wiping` is whether the allocator wipes.
pub(crate) fn run(wiping: bool) {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("encode") {
        return encode(&args.next().unwrap());
    }
    if !cfg!(target_os = "linux") {
        println!("test canary ... skipped: there is no /proc/self/mem here");
        return;
    }
    // Panics are part of the test: their messages are not news.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains("on purpose") {
            hook(info);
        }
    }));
    let (needles, mut buffer) = (needles(), vec![0; 4 << 20]);
    let (whole, broken) = (Pipeline::bundled(lot()).unwrap(), broken());
    let ends =
        [End::Succeeds, End::Fails, End::Panics(Stage::Anonymize), End::Panics(Stage::Occupancy)];
    assert!(finds_tensors(&needles, &mut buffer), "the search is blind for tensors");
    let mut failures = 0;
    let mut judge = |case: String, found: Vec<String>, strict: bool| {
        let verdict = match (found.is_empty(), strict) {
            (true, _) => "clean".to_owned(),
            (false, true) => format!("FAILED: {}", found.join(", ")),
            (false, false) => format!("not wiped by the library: {}", found.join(", ")),
        };
        failures += usize::from(!found.is_empty() && strict);
        println!("{case}: {verdict}");
    };
    for format in PixelFormat::ALL {
        let picture = || {
            let mut pixels = Vec::with_capacity(4 * (SIZE[0] * SIZE[1]) as usize);
            write(format, &mut pixels);
            pixels
        };
        // The search can find: a frame that is still there is.
        let raw = RawFrame::from_pixels(format, SIZE[0], SIZE[1], picture()).unwrap();
        assert!(!search(&needles, &mut buffer).is_empty(), "{format}: the search is blind");
        drop(raw);
        judge(format!("{format}, dropped"), search(&needles, &mut buffer), true);
        for end in ends {
            let raw = RawFrame::from_pixels(format, SIZE[0], SIZE[1], picture()).unwrap();
            process(&whole, &broken, end, raw);
            judge(format!("{format}, {end:?}"), search(&needles, &mut buffer), true);
            if end != End::Succeeds {
                let mut lent = picture();
                process_in_place(&whole, &broken, end, format, &mut lent);
                judge(format!("{format} lent, {end:?}"), search(&needles, &mut buffer), true);
            }
        }
    }
    for (codec, _) in CODECS {
        let own = std::env::current_exe().unwrap();
        let encoded = Command::new(own).args(["encode", codec]).output().unwrap().stdout;
        let raw = RawFrame::decode(&encoded).unwrap();
        assert!(!search(&needles, &mut buffer).is_empty(), "{codec}: the search is blind");
        drop(raw);
        // The PNG and WebP decoders leave rows in memory of theirs.
        let strict = wiping || codec == "jpeg";
        judge(
            format!("{codec}, decoded"),
            search(&needles, &mut buffer),
            wiping || codec == "jpeg",
        );
        for end in ends {
            process(&whole, &broken, end, RawFrame::decode(&encoded).unwrap());
            judge(format!("{codec}, {end:?}"), search(&needles, &mut buffer), strict);
        }
        let mut cut = encoded.clone();
        cut.truncate(encoded.len() * 9 / 10);
        let refused = RawFrame::decode(&cut).is_err();
        assert!(refused, "{codec}: a truncated file was decoded");
        judge(
            format!("{codec}, truncated"),
            search(&needles, &mut buffer),
            wiping || codec == "jpeg",
        );
    }
    assert_eq!(failures, 0, "rows of the picture were found in memory");
    println!("test canary ... ok");
    println!("\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}
